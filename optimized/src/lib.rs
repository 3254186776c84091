//! Each item of the audit fixed, and the audit's own fixes beside them.
