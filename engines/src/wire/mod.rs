//! What goes over the wire between a client and an engine: counted, and held back as on a
//! longer line.

mod bind;
mod carry;
mod counts;
mod line;
mod queries;
mod relay;
mod statement;
mod statements;
mod summary;
#[cfg(test)]
mod tests;

pub use bind::Call;
pub use counts::{Summaries, Wire};
pub use line::{Line, Wires};
pub use queries::Query;
pub use relay::{Address, Relay};
pub use statement::{Statement, with_values};
pub use statements::Rewrite;
