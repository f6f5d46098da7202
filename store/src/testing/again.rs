//! The test program once more, as a process that can be killed or meet a full disk.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Tells the process which file to work with.
const FILE: &str = "FAVOR_TEST_FILE";

/// Starts this test program again with one test to run, which is marked as ignored and finds its file with
/// [`file_of_child`]. Its output can be read. A write beyond a limit on the size of files is an error there, not a
/// signal.
///
/// # Panics
/// When the process cannot be started.
pub fn run_again(test: &str, file: &Path) -> Child {
    Command::new("sh")
        .args(["-c", r#"trap "" XFSZ; exec "$0" "$@""#])
        .arg(env::current_exe().expect("a program knows its file"))
        .args(["--ignored", "--exact", "--nocapture", "--test-threads=1", test])
        .env(FILE, file)
        .stdout(Stdio::piped())
        .spawn()
        .expect("a shell starts")
}

/// The file that [`run_again`] was told of.
///
/// # Panics
/// When the test was not started by it.
pub fn file_of_child() -> PathBuf {
    env::var_os(FILE).expect("another test runs this one").into()
}
