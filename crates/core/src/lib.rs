//! korpus core.
