//! Qianfa.
