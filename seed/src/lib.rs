//! The world the audit speaks of: generators, and loaders into PostgreSQL and ClickHouse.
