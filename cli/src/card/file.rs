//! What files and stdin hold: cards and changes as TOML or JSON, lists of codes, one private text.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use chrono::DateTime;
use favor_card::Code;
use favor_core::OpenId;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::unknown;
use crate::args::Private;
use crate::output::Output;
use crate::saved;

impl Private {
    /// The text; a line of stdin in the place of `-`.
    pub(crate) fn read(&self) -> anyhow::Result<String> {
        if self.0 != "-" {
            return Ok(self.0.clone());
        }
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).context("cannot read stdin")?;
        Ok(line.trim().to_owned())
    }

    pub(crate) fn code(&self) -> anyhow::Result<Code> {
        Ok(Code::new(self.read()?)?)
    }

    pub(crate) fn openid(&self) -> anyhow::Result<OpenId> {
        Ok(OpenId::new(self.read()?)?)
    }
}

/// Reads an object from TOML, or from JSON in a file named …json or stdin. What stands alone under `wrapped` is the
/// object, as in the body of the call. Fields that are not known are named to `output`: they go out as they are, and
/// are a slip more often than not.
pub(crate) fn object<T: DeserializeOwned>(file: &Path, wrapped: &str, output: &Output) -> anyhow::Result<T> {
    let value = value(file, wrapped)?;
    typed(&value, file, output)
}

/// What an object says, with the same words about it.
pub(crate) fn typed<T: DeserializeOwned>(value: &Value, file: &Path, output: &Output) -> anyhow::Result<T> {
    let name = saved::name(Some(file));
    let read = serde_path_to_error::deserialize(value).map_err(|error| {
        let place = error.path().to_string();
        let what = error.into_inner();
        match place.as_str() {
            "." | "" => anyhow!("{name} is not what is asked for: {what}"),
            place => anyhow!("{name} is not what is asked for: {place}: {what}"),
        }
    })?;
    let unknown = unknown::fields::<T>(value);
    if !unknown.is_empty() {
        output.talk(format!("not known here, perhaps a slip, and sent as it is: {}", unknown.join(", ")));
    }
    Ok(read)
}

/// The object of a file, whatever it says.
pub(crate) fn value(file: &Path, wrapped: &str) -> anyhow::Result<Value> {
    let name = saved::name(Some(file));
    let bytes = saved::read(Some(file))?;
    let text = String::from_utf8(bytes).ok().with_context(|| format!("{name} is not UTF-8"))?;
    let text = text.trim_start_matches('\u{feff}');
    let is_json = file.extension().map_or(file == Path::new("-"), |end| end.eq_ignore_ascii_case("json"));
    let value = if is_json {
        serde_json::from_str(text).with_context(|| format!("{name} is not JSON"))?
    } else {
        let table: toml::Table = toml::from_str(text).with_context(|| format!("{name} is not TOML"))?;
        json_of(toml::Value::Table(table)).with_context(|| name.clone())?
    };
    Ok(match value {
        Value::Object(mut map) if map.len() == 1 && map.contains_key(wrapped) => {
            map.remove(wrapped).unwrap_or_default()
        }
        other => other,
    })
}

/// TOML as JSON. A time becomes its Unix seconds, which is how cards say it.
fn json_of(value: toml::Value) -> anyhow::Result<Value> {
    Ok(match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(flag) => flag.into(),
        toml::Value::Datetime(time) => match DateTime::parse_from_rfc3339(&time.to_string()) {
            Ok(moment) => moment.timestamp().into(),
            Err(_) => {
                bail!("the time {time} needs a date, a time of day and an offset: 2026-12-01T00:00:00+08:00")
            }
        },
        toml::Value::Array(list) => list.into_iter().map(json_of).collect::<anyhow::Result<Vec<_>>>()?.into(),
        toml::Value::Table(table) => {
            let pairs = table.into_iter().map(|(key, value)| Ok((key, json_of(value)?)));
            Value::Object(pairs.collect::<anyhow::Result<_>>()?)
        }
    })
}

/// The longest that calls take, in bytes.
const LONGEST_CODE: usize = 20;

/// The codes of a file, one on each line, each once; blank lines do not count. They are sent by hundreds, so whatever a
/// call would refuse is found here, before the first is made. Errors name the line and not the code.
pub(crate) fn codes(file: &Path) -> anyhow::Result<Vec<Code>> {
    let name = saved::name(Some(file));
    let bytes = saved::read(Some(file))?;
    let text = String::from_utf8(bytes).ok().with_context(|| format!("{name} is not UTF-8"))?;
    let (mut codes, mut seen) = (Vec::new(), HashMap::new());
    for (number, line) in (1_usize..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let code = Code::new(line).with_context(|| format!("{name}, line {number}"))?;
        if line.len() > LONGEST_CODE {
            bail!(
                "{name}, line {number}: a code has at most {LONGEST_CODE} bytes of UTF-8, this one {}",
                line.len()
            );
        }
        if let Some(before) = seen.insert(line, number) {
            bail!("{name}, line {number}: the code of line {before} again; each belongs there once");
        }
        codes.push(code);
    }
    if codes.is_empty() {
        bail!("{name} has no codes: one belongs on each line");
    }
    Ok(codes)
}

/// The file is there whole or not at all, and one of this name before it stays until then.
pub(crate) fn write(path: &Path, content: &[u8], replace: bool) -> anyhow::Result<()> {
    let cannot = || format!("cannot write {}", path.display());
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut file = tempfile::Builder::new().prefix(".favor-").tempfile_in(folder).with_context(cannot)?;
    file.write_all(content).and_then(|()| file.as_file().sync_all()).with_context(cannot)?;
    if replace {
        file.persist(path).with_context(cannot)?;
    } else {
        file.persist_noclobber(path).with_context(cannot)?;
    }
    #[cfg(unix)]
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).with_context(cannot)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: &str) -> anyhow::Result<Value> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        value(&file, "card")
    }

    #[test]
    fn toml_and_json_say_the_same() {
        let json = read("a.JSON", r#"{"card":{"card_type":"CASH","cash":{"at":1767196800,"some":[1,"x"]}}}"#);
        let toml = "card_type = 'CASH'\n[cash]\nat = 2026-01-01T00:00:00+08:00\nsome = [1, 'x']\n";
        assert_eq!(json.unwrap(), read("a.toml", toml).unwrap());
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        for (name, text, words) in [
            ("a.json", "{", "a.json is not JSON"),
            ("a.toml", "{", "a.toml is not TOML"),
            ("a.toml", "at = 2026-01-01", "an offset"),
        ] {
            let error = format!("{:#}", read(name, text).unwrap_err());
            assert!(error.contains(words), "{error}");
        }
    }
}
