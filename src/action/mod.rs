//! What actions share.

mod services;

pub use services::{Services, SigningFiles, Site, files_folder};
