//! Reading the files that settings name.

use std::path::Path;

use zeroize::Zeroizing;

use crate::doctor::code::Code;
use crate::doctor::given::Place;
use crate::doctor::report::Report;

/// Larger than any key or certificate file.
const LARGEST: u64 = 1 << 20;

/// The bytes of a file, or why there are none, in words.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    let about = std::fs::metadata(path).map_err(|error| why(path, &error))?;
    if about.is_dir() {
        return Err(format!("{} is a folder, and a file is needed", path.display()));
    }
    if !about.is_file() || about.len() > LARGEST {
        return Err(format!("{} is no key file: it is no plain file, or beyond 1 MiB", path.display()));
    }
    std::fs::read(path).map(Zeroizing::new).map_err(|error| why(path, &error))
}

/// The bytes of a secret.
pub(crate) fn secret(place: &Place) -> Result<Zeroizing<Vec<u8>>, String> {
    match place {
        Place::Variable(_, value) => Ok(Zeroizing::new(value.expose().clone().into_bytes())),
        Place::File(path) => read(path),
    }
}

/// Says so when the file of a secret is open to others.
pub(crate) fn check_open(place: &Place, report: &mut Report) {
    if let Place::File(path) = place {
        check_mode(path, report);
    }
}

/// What most often is wrong with the text of a secret, without showing any of it.
pub(crate) fn slip(text: &[u8]) -> &'static str {
    let text = text.trim_ascii();
    if text.is_empty() {
        "; the file is empty"
    } else if text.starts_with(b"-----BEGIN") {
        "; it is PEM text, so a key was put here"
    } else if text.starts_with(b"\xef\xbb\xbf") {
        "; it begins with a byte order mark, which an editor put there"
    } else if text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff") {
        "; it is UTF-16: save it as plain text"
    } else if text.len() >= 2 && text.first() == text.last() && matches!(text[0], b'"' | b'\'') {
        "; it stands in quotation marks: leave them out"
    } else if text.contains(&b'\n') {
        "; it has several lines"
    } else {
        ""
    }
}

fn why(path: &Path, error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => format!("there is no file {}", path.display()),
        std::io::ErrorKind::PermissionDenied => {
            format!("{} exists, and this user may not read it", path.display())
        }
        _ => format!("{} cannot be read: {error}", path.display()),
    }
}

/// A group that may read is a common and sound set-up; that others may is not.
#[cfg(unix)]
fn check_mode(path: &Path, report: &mut Report) {
    use std::os::unix::fs::PermissionsExt as _;
    let Ok(about) = std::fs::metadata(path) else { return };
    let mode = about.permissions().mode() & 0o777;
    if mode & 0o027 == 0 {
        return;
    }
    let what = if mode & 0o007 == 0 { "its whole group may change it" } else { "every user may open it" };
    report.bad(
        Code::SecretFileOpen,
        format!("{} holds a secret, and {what} (mode {mode:04o})", path.display()),
        format!("chmod 600 {}", path.display()),
    );
}

#[cfg(not(unix))]
fn check_mode(_path: &Path, _report: &mut Report) {}
