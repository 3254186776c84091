//! Every stage of a world.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use crate::conversation_stage::conversations;
use crate::people_stage::{follows, users};
use crate::post_stage::posts;
use crate::stage::Stage;
use crate::world::World;

/// In the order they must run: users need the follows counted.
pub(crate) fn stages(world: &World) -> [Stage; 4] {
    let followers: Arc<[AtomicU32]> = (0..world.users()).map(|_| AtomicU32::new(0)).collect();
    [
        follows(world.clone(), Arc::clone(&followers)),
        users(world.clone(), followers),
        conversations(world.clone()),
        posts(world.clone()),
    ]
}
