//! Tests on real engines, which are started once for all of them.

mod common;
mod engines;
