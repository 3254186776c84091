//! The shape of a trial: every engine, every kind of promise, many callers, a baseline that
//! fails, and what is given back when nobody can take it back.

mod at_start;
mod crowded;
mod elsewhere;
mod everywhere;
mod failing;
mod given_back;
