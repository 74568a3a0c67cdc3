//! korpus tables.
