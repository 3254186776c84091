//! Users, and who follows whom.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::delivery::deliver;
use crate::pgcopy::Rows;
use crate::rowbinary::SortKey;
use crate::stage::Stage;
use crate::stream::Aspect;
use crate::tables;
use crate::world::World;

const USERS_IN_BLOCK: u32 = 256;

fn user_blocks(world: &World) -> usize {
    world.sizes.users.div_ceil(USERS_IN_BLOCK) as usize
}

fn users_of(world: &World, block: usize) -> Range<u32> {
    let first = block as u32 * USERS_IN_BLOCK;
    first..(first + USERS_IN_BLOCK).min(world.sizes.users)
}

pub(crate) fn follows(world: World, followers: Arc<[AtomicU32]>) -> Stage {
    let blocks = user_blocks(&world);
    let make = move |block| {
        let (mut table, mut cdc) = (Rows::default(), Rows::default());
        let all: Vec<_> = users_of(&world, block)
            .flat_map(|user| world.follows_of(user))
            .collect();
        let mut random = world.stream(Aspect::FOLLOW_DELIVERY, block as u64);
        let mut feed = Vec::new();
        for (i, follow) in all.iter().enumerate() {
            let created = follow.created_at.timestamp_micros();
            deliver(&mut feed, i, created, false, &mut random);
            if let Some(removed) = follow.removed_at {
                deliver(&mut feed, i, removed.timestamp_micros(), true, &mut random);
                continue;
            }
            followers[follow.following as usize].fetch_add(1, Ordering::Relaxed);
            table
                .row(4)
                .add(follow.id)
                .add(follow.follower)
                .add(world.user_id(follow.following))
                .add(follow.created_at);
        }
        feed.sort_unstable();
        for change in feed {
            let follow = &all[change.row];
            let following = world.user_id(follow.following);
            cdc.binary(SortKey::id(follow.follower).then(following))
                .id(follow.follower)
                .id(following)
                .seconds(follow.created_at)
                .change(change.version, change.deleted);
        }
        vec![table, cdc.sorted()]
    };
    Stage {
        tables: vec![tables::FOLLOWS, tables::FOLLOWS_CDC],
        blocks,
        make: Arc::new(make),
    }
}

pub(crate) fn users(world: World, followers: Arc<[AtomicU32]>) -> Stage {
    let blocks = user_blocks(&world);
    let make = move |block| {
        let mut table = Rows::default();
        for index in users_of(&world, block) {
            let user = world.user_row(index);
            table
                .row(10)
                .add(user.id)
                .add(user.username.as_str())
                .add(user.email.as_str())
                .add(user.password_hash.as_str())
                .add(user.email_verified)
                .add(user.is_active)
                .add(followers[index as usize].load(Ordering::Relaxed) as i32)
                .add(user.created_at)
                .add(user.updated_at)
                .maybe(user.deleted_at);
        }
        vec![table]
    };
    Stage {
        tables: vec![tables::USERS],
        blocks,
        make: Arc::new(make),
    }
}
