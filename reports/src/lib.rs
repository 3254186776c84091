//! Evidence in, pages and files out.
