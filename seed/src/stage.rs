//! What is made together: tables whose rows follow from one another, block by block.

use std::sync::Arc;

use crate::pgcopy::Rows;
use crate::tables::Table;

/// Makes one block: the rows of each table, in the order of the stage's tables.
pub(crate) type Make = Arc<dyn Fn(usize) -> Vec<Rows> + Send + Sync>;

/// Tables that are filled together.
#[derive(Clone)]
pub(crate) struct Stage {
    pub(crate) tables: Vec<Table>,
    pub(crate) blocks: usize,
    pub(crate) make: Make,
}
