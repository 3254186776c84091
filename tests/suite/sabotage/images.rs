//! Faults of reading: posts with what hangs on them.

use verdict_oracle::write::Kind;
use verdict_scenarios::items::PostImages;
use verdict_scenarios::items::post_images::{OfPage, OfPost};

use super::sabotaged::{Fault, FaultOf};
use super::{each_is_caught, each_kept_is_caught, with_fix};

#[test]
fn of_a_post_and_of_a_page_of_them() {
    with_fix(&PostImages, |court| {
        each_is_caught::<OfPost, _>(
            court,
            || OfPost,
            [
                (
                    "another size's address",
                    Fault::Answered(|post| {
                        if let Some(post) = post {
                            std::mem::swap(&mut post.thumbnail_url, &mut post.medium_url);
                        }
                    }),
                ),
                (
                    "a like more",
                    Fault::Answered(|post| {
                        if let Some(post) = post {
                            post.like_count += 1;
                        }
                    }),
                ),
                (
                    "counted at another time",
                    Fault::Answered(|post| {
                        if let Some(post) = post {
                            post.metadata_updated_at = post.post.created_at;
                        }
                    }),
                ),
                ("nothing", Fault::Answered(|post| *post = None)),
            ],
        );
        each_is_caught::<OfPage, _>(
            court,
            || OfPage,
            [
                ("another order", Fault::Answered(|page| page.reverse())),
                (
                    "a post less",
                    Fault::Answered(|page| {
                        page.pop();
                    }),
                ),
                (
                    "another post's image",
                    Fault::Answered(|page| {
                        if let [first, .., last] = &mut page[..] {
                            std::mem::swap(&mut first.original_url, &mut last.original_url);
                        }
                    }),
                ),
            ],
        );
    });
}

#[test]
fn of_copies_that_one_kind_of_write_leaves_stale() {
    let stale: [(&str, FaultOf<OfPost>); 5] = [
        ("unedited", Fault::Copied(1, |kind| kind != Kind::Edited)),
        ("undeleted", Fault::Copied(1, |kind| kind != Kind::Deleted)),
        ("uncounted", Fault::Copied(1, |kind| kind != Kind::Counted)),
        ("unserved", Fault::Copied(1, |kind| kind != Kind::Served)),
        ("unborn", Fault::Copied(1, |kind| kind != Kind::Created)),
    ];
    with_fix(&PostImages, |court| {
        each_kept_is_caught(court, || OfPost, &stale);
    });
}
