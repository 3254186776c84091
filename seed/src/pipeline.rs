//! Generator threads feeding one writer per table, in bounded memory and a fixed order.
//!
//! Thread k of n makes blocks k, k + n, k + 2n, ..., and hands each table's rows to that
//! table's lane. A lane takes from the threads in turn, so every table receives its blocks
//! in order whatever the number of threads. It cannot lock up: every block sends to every
//! lane, so of two lanes that wait for each other's thread each would have to be behind the
//! other.

use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::pgcopy::Rows;
use crate::stage::Stage;

/// Blocks that a thread may be ahead of a table.
const AHEAD: usize = 3;

/// One table's rows, block by block.
pub(crate) struct Lane {
    threads: Vec<Receiver<Rows>>,
    taken: usize,
    blocks: usize,
}

/// The threads ended before they had made every block, which a panic in a generator does.
#[derive(Debug)]
pub(crate) struct Broken;

impl Lane {
    /// The next block's rows, or nothing after the last.
    pub(crate) async fn next(&mut self) -> Result<Option<Rows>, Broken> {
        if self.taken == self.blocks {
            return Ok(None);
        }
        let thread = self.taken % self.threads.len();
        self.taken += 1;
        self.threads[thread].recv().await.map(Some).ok_or(Broken)
    }
}

/// Starts `threads` generator threads; gives a lane per table of the stage, in its order.
/// Must be called within a tokio runtime. The threads end when their lanes are dropped.
pub(crate) fn start(stage: &Stage, threads: usize) -> Vec<Lane> {
    let lane = || Lane {
        threads: Vec::new(),
        taken: 0,
        blocks: stage.blocks,
    };
    let mut lanes: Vec<Lane> = stage.tables.iter().map(|_| lane()).collect();
    for thread in 0..threads {
        let senders: Vec<Sender<Rows>> = lanes
            .iter_mut()
            .map(|lane| {
                let (sender, receiver) = channel(AHEAD);
                lane.threads.push(receiver);
                sender
            })
            .collect();
        let stage = stage.clone();
        tokio::task::spawn_blocking(move || {
            for block in (thread..stage.blocks).step_by(threads) {
                for (rows, sender) in (stage.make)(block).into_iter().zip(&senders) {
                    if sender.blocking_send(rows).is_err() {
                        return;
                    }
                }
            }
        });
    }
    lanes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stages::stages;
    use crate::{Scale, World, WorldSpec};

    async fn bytes(threads: usize) -> Vec<(&'static str, u64, Vec<u8>)> {
        let world = World::new(WorldSpec {
            scale: Scale::Smoke,
            users: Some(60),
            days: None,
            seed: 1,
        });
        let mut tables = Vec::new();
        for stage in stages(&world) {
            let lanes = start(&stage, threads).into_iter().zip(&stage.tables);
            let drains = lanes.map(async |(mut lane, table)| {
                let (mut rows, mut bytes) = (0, Vec::new());
                while let Some(block) = lane.next().await.expect("all blocks") {
                    rows += block.rows;
                    bytes.extend(block.bytes);
                }
                (table.name, rows, bytes)
            });
            tables.extend(futures_util::future::join_all(drains).await);
        }
        tables
    }

    #[tokio::test]
    async fn every_table_gets_the_same_bytes_in_the_same_order_from_any_number_of_threads() {
        let one = bytes(1).await;
        assert!(one.iter().all(|(_, rows, _)| *rows > 0));
        assert!(one == bytes(2).await, "two threads");
        assert!(one == bytes(5).await, "five threads");
    }

    #[tokio::test]
    async fn a_panic_in_a_generator_is_an_error_and_no_short_table() {
        let [mut stage, ..] = stages(&World::new(WorldSpec {
            scale: Scale::Smoke,
            users: None,
            days: None,
            seed: 1,
        }));
        stage.make = std::sync::Arc::new(|_| panic!("on purpose"));
        let mut lanes = start(&stage, 2);
        assert!(lanes[0].next().await.is_err());
    }
}
