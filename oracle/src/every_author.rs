//! Something made for every author of a world, with a thread per processor.

use std::sync::atomic::{AtomicU64, Ordering};

use verdict_seed::World;

/// What `make` makes for each author, in the order of their numbers.
pub(crate) fn every_author<T: Send + Default>(
    world: &World,
    make: impl Fn(u64) -> T + Sync,
) -> Vec<T> {
    let users = world.users();
    let mut by_author: Vec<T> = Vec::new();
    by_author.resize_with(users as usize, T::default);
    let next = AtomicU64::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let work = || {
            let mut made = Vec::new();
            loop {
                let author = next.fetch_add(1, Ordering::Relaxed);
                if author >= users {
                    return made;
                }
                made.push((author, make(author)));
            }
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            match worker.join() {
                Ok(made) => {
                    for (author, made) in made {
                        by_author[author as usize] = made;
                    }
                }
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    by_author
}
