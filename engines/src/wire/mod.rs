//! What goes over the wire between a client and an engine: counted, and held back as on a
//! longer line.

mod bind;
mod carry;
mod counts;
mod line;
mod relay;
mod statement;
mod statements;
mod summary;
#[cfg(test)]
mod tests;

pub use bind::Call;
pub use counts::{Summaries, Wire};
pub use line::{Line, Wires};
pub use relay::{Address, Relay};
pub use statement::Statement;
pub use statements::Rewrite;
