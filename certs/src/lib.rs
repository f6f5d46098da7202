#![doc = include_str!("../README.md")]

mod directory;

pub use directory::{DirectoryError, KeyDirectory, Modes, NewKeys, Published};
