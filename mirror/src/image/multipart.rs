//! Reads `multipart/form-data` with a part `meta` and a part `file`, in either order.
//!
//! Takes what SDKs write: `name="meta";` with a semicolon at the end, a boundary in quotes or not or not named at all
//! (the body's first line then tells it), no line end after the last boundary.

use axum::body::Bytes;

/// The two parts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Form {
    /// The text of the part, byte for byte. This is what is signed.
    pub(crate) meta: Bytes,
    pub(crate) filename: String,
    pub(crate) file: Bytes,
}

/// Reads a body; on failure says what is wrong with it.
pub(crate) fn read(content_type: &str, body: &Bytes) -> Result<Form, String> {
    let boundary =
        boundary(content_type, body).ok_or("Content-Type is not multipart/form-data with a boundary")?;
    let mut meta = None;
    let mut file = None;
    for part in parts(&boundary, body)? {
        let slot = match part.name.as_str() {
            "meta" => &mut meta,
            "file" => &mut file,
            // Others are none of ours.
            _ => continue,
        };
        if slot.is_some() {
            return Err(format!("the part {} occurs twice", part.name));
        }
        *slot = Some(part);
    }
    let meta = meta.ok_or("there is no part meta")?.content;
    let file = file.ok_or("there is no part file")?;
    let filename = file.filename.ok_or("the part file has no filename")?;
    Ok(Form { meta, filename, file: file.content })
}

/// The first part that has a file name, whatever it is called, and that name.
pub(crate) fn first_file(content_type: &str, body: &Bytes) -> Result<(String, Bytes), String> {
    let boundary =
        boundary(content_type, body).ok_or("Content-Type is not multipart/form-data with a boundary")?;
    let named = |part: Part| part.filename.map(|filename| (filename, part.content));
    parts(&boundary, body)?.into_iter().find_map(named).ok_or_else(|| "no part has a filename".to_owned())
}

struct Part {
    name: String,
    filename: Option<String>,
    content: Bytes,
}

fn boundary(content_type: &str, body: &[u8]) -> Option<String> {
    let (media, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
    if !media.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameter(parameters, "boundary").or_else(|| first_line(body));
    boundary.filter(|boundary| (1..=70).contains(&boundary.len()))
}

/// The boundary as the body's first line has it.
fn first_line(body: &[u8]) -> Option<String> {
    let line = &body[..find(body, b"\r\n")?];
    std::str::from_utf8(line).ok()?.strip_prefix("--").map(str::to_owned)
}

/// A parameter's value, of the form `name=value` or `name="value"`, separated by semicolons.
fn parameter(text: &str, name: &str) -> Option<String> {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([';', ' ', '\t']);
        let (key, after) = rest.split_once('=')?;
        let value;
        (value, rest) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_at(after.find(';').unwrap_or(after.len())),
        };
        if key.trim().eq_ignore_ascii_case(name) {
            return Some(value.trim().to_owned());
        }
    }
}

fn parts(boundary: &str, body: &Bytes) -> Result<Vec<Part>, String> {
    let delimiter = format!("\r\n--{boundary}");
    // The first boundary needs no line end before it.
    let first = &delimiter[2..];
    let mut rest = if body.starts_with(first.as_bytes()) {
        body.slice(first.len()..)
    } else {
        let start = find(body, delimiter.as_bytes()).ok_or("the boundary does not occur")?;
        body.slice(start + delimiter.len()..)
    };
    let mut parts = Vec::new();
    loop {
        if rest.starts_with(b"--") {
            return Ok(parts);
        }
        let line = find(&rest, b"\r\n").ok_or("a boundary is not followed by a line end")?;
        if rest[..line].iter().any(|byte| !matches!(byte, b' ' | b'\t')) {
            return Err("a boundary is followed by something else than a line end".to_owned());
        }
        let end =
            find(&rest.slice(line..), delimiter.as_bytes()).ok_or("the last boundary is missing")? + line;
        parts.push(part(&rest.slice(line + 2..end.max(line + 2)))?);
        rest = rest.slice(end + delimiter.len()..);
    }
}

fn part(bytes: &Bytes) -> Result<Part, String> {
    let (head, content) = match bytes.strip_prefix(b"\r\n") {
        Some(_) => (Bytes::new(), bytes.slice(2..)),
        None => {
            let end = find(bytes, b"\r\n\r\n").ok_or("a part has no blank line after its headers")?;
            (bytes.slice(..end), bytes.slice(end + 4..))
        }
    };
    let head = std::str::from_utf8(&head).map_err(|_| "the headers of a part are not UTF-8")?;
    let disposition = head
        .split("\r\n")
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("content-disposition"))
        .map(|(_, value)| value.trim());
    let Some(("form-data", parameters)) = disposition.and_then(|value| value.split_once(';')) else {
        return Err("a part has no Content-Disposition: form-data".to_owned());
    };
    Ok(Part {
        name: parameter(parameters, "name").ok_or("a part has no name")?,
        filename: parameter(parameters, "filename"),
        content,
    })
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "--B\r\nContent-Disposition: form-data; name=\"meta\"\r\n\
        Content-Type: application/json\r\n\r\n{\"a\": 1}\r\n--B\r\n\
        Content-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n\
        one\r\n--C two\r\n--B--\r\n";

    fn read_text(content_type: &str, body: &str) -> Result<Form, String> {
        read(content_type, &Bytes::copy_from_slice(body.as_bytes()))
    }

    fn good() -> Form {
        Form { meta: "{\"a\": 1}".into(), filename: "a.png".into(), file: "one\r\n--C two".into() }
    }

    #[test]
    fn the_documented_form_is_read() {
        assert_eq!(read_text("multipart/form-data; boundary=B", BODY), Ok(good()));
    }

    #[test]
    fn what_sdks_write_is_taken() {
        for content_type in [
            "multipart/form-data; boundary=\"B\"",
            "multipart/form-data",
            "multipart/form-data; charset=utf-8",
            "Multipart/Form-Data;charset=utf-8;BOUNDARY=B",
            "multipart/form-data; boundary=B; charset=utf-8",
        ] {
            assert_eq!(read_text(content_type, BODY), Ok(good()), "{content_type}");
        }
        for body in [
            BODY.replace("name=\"meta\"", "name=\"meta\";"),
            BODY.replace("name=\"meta\"", "name=meta"),
            BODY.trim_end().to_owned(),
            format!("preamble\r\n{BODY}epilogue"),
            BODY.replace("--B\r\n", "--B \r\n"),
            BODY.replace("Content-Disposition", "content-disposition"),
            BODY.replace("--B--", "--B\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n\r\n--B--"),
        ] {
            assert_eq!(read_text("multipart/form-data; boundary=B", &body), Ok(good()), "{body}");
        }
    }

    #[test]
    fn the_file_may_come_first() {
        let (meta, file) = BODY.split_at(BODY.find("\r\n--B\r\n").unwrap() + 2);
        let file = file.strip_suffix("--B--\r\n").unwrap();
        let swapped = format!("{file}{meta}--B--\r\n");
        assert_eq!(read_text("multipart/form-data; boundary=B", &swapped), Ok(good()));
    }

    #[test]
    fn other_bodies_are_refused() {
        for content_type in ["", "application/json", "multipart/mixed", "multipart/mixed; boundary=B"] {
            assert!(read_text(content_type, BODY).is_err(), "{content_type}");
        }
        for body in [
            String::new(),
            "--B".to_owned(),
            "--B--".to_owned(),
            BODY.replace("\r\n", "\n"),
            BODY.replace("--B--\r\n", ""),
            BODY.replace("meta", "mate"),
            BODY.replace("; filename=\"a.png\"", ""),
            BODY.replace("form-data;", "attachment;"),
            format!("{BODY}{BODY}").replace("--B--\r\n--B", "--B"),
        ] {
            assert!(read_text("multipart/form-data; boundary=B", &body).is_err(), "{body}");
        }
    }

    #[test]
    fn an_empty_file_is_read() {
        let body = BODY.replace("one\r\n--C two", "");
        assert_eq!(read_text("multipart/form-data; boundary=B", &body).unwrap().file, "");
    }

    proptest::proptest! {
        #[test]
        fn hostile_bodies_never_panic(
            content_type in "(multipart/form-data; boundary=\"?B\"?)|\\PC*",
            pieces in proptest::collection::vec("(--B)|(--)|(\r\n)|(\n)|[\"; =:a]|(Content-Disposition: form-data; name=\"meta\")", 0..24),
        ) {
            read_text(&content_type, &pieces.concat()).ok();
        }
    }
}
