//! PostgreSQL, ClickHouse and Redis on a plate: embedded, in containers, or yours.
