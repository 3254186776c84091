//! What was done to posts in ranges of time: all events of the world, counted once.

use std::collections::HashMap;
use std::ops::Range;

use uuid::Uuid;
use verdict_seed::World;

use crate::events::Second;
use crate::every_author::every_author;

const HOUR: Second = 3_600;

/// Hours of a range: an hour, a day, a week, a month.
const LENGTHS: [Second; 4] = [1, 24, 7 * 24, 30 * 24];

/// Days between a range's end and the world's clock.
const AGO: [Second; 4] = [0, 1, 7, 45];

/// How many ranges are counted.
pub const RANGES: usize = LENGTHS.len() * AGO.len();

/// Every range that is counted.
pub fn ranges(world: &World) -> Vec<Range<Second>> {
    let clock = world.clock().timestamp() as Second;
    let ends = AGO.map(|days| clock - days * 24 * HOUR);
    let ranges = ends
        .iter()
        .flat_map(|end| LENGTHS.map(|hours| end - hours * HOUR..*end));
    ranges.collect()
}

/// What was done to one post, by the number of the range.
#[derive(Debug)]
pub struct Slice {
    /// The post.
    pub post: Uuid,
    /// The number of its author.
    pub author: u64,
    /// Whether its row was deleted.
    pub deleted: bool,
    /// Likes, comments and views.
    pub events: [u32; RANGES],
    /// Likes that stand.
    pub likes: [u32; RANGES],
}

/// What was done to every post in every range, and when.
#[derive(Debug)]
pub struct Slices {
    /// Of each post.
    pub posts: Vec<Slice>,
    /// Times of all events that are kept, ascending, each with the place of its post.
    pub times: Vec<(Second, u32)>,
}

impl Slices {
    pub(crate) fn of(world: &World) -> Self {
        let ranges = ranges(world);
        let count = |times: &mut dyn Iterator<Item = Second>| {
            let mut counts = [0; RANGES];
            for time in times {
                for (count, range) in counts.iter_mut().zip(&ranges) {
                    *count += u32::from(range.contains(&time));
                }
            }
            counts
        };
        let of_author = |author| -> Vec<(Slice, Vec<Second>)> {
            let mut happened: HashMap<Uuid, Vec<Second>> =
                world.happenings(author).into_iter().collect();
            let posts = world.interactions(author).into_iter();
            posts
                .map(|post| {
                    let times = happened.remove(&post.post).unwrap_or_default();
                    let standing = post.likes.iter().filter(|like| !like.removed);
                    let slice = Slice {
                        post: post.post,
                        author,
                        deleted: post.deleted,
                        events: count(&mut times.iter().copied()),
                        likes: count(&mut standing.map(|like| like.at)),
                    };
                    (slice, times)
                })
                .collect()
        };
        let (mut posts, mut times) = (Vec::new(), Vec::new());
        for (slice, of_post) in every_author(world, of_author).into_iter().flatten() {
            let place = posts.len() as u32;
            times.extend(of_post.into_iter().map(|time| (time, place)));
            posts.push(slice);
        }
        times.sort_unstable();
        Self { posts, times }
    }
}
