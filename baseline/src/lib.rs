//! Each item of the audit as it is today, and the schema it runs on.
