//! Each item of the audit fixed, one file per item beside the file of the same name in
//! `baseline`; and in [`as_proposed`] the audit's own fixes, their semantics exactly.

pub mod as_proposed;
pub mod message_history;
pub mod message_send;
pub mod migration;
pub mod pagination;
