//! JSON that was authentic, read with errors that name the field and never quote the value.

use serde::Deserialize;
use serde_json::error::Category;

use crate::rejection::Malformation;

/// Reads a whole JSON text.
pub(crate) fn decode<'a, T: Deserialize<'a>>(part: &'static str, text: &'a str) -> Result<T, Malformation> {
    serde_json::from_str(text).map_err(|_| explain::<T>(part, text))
}

/// Reads it once more, this time keeping track of the field.
#[cold]
fn explain<'a, T: Deserialize<'a>>(part: &'static str, text: &'a str) -> Malformation {
    let mut json = serde_json::Deserializer::from_str(text);
    let error = match serde_path_to_error::deserialize::<_, T>(&mut json) {
        Err(error) => error,
        Ok(_) => return Malformation::new(part, "something follows it"),
    };
    let malformation = |what| Malformation::new(part, what);
    match error.inner().classify() {
        // Only here the path has none but our own field names. What breaks elsewhere can be in a field that nobody
        // reads, and its name can be anything.
        Category::Data => {
            malformation("a value is missing, repeated or of an unexpected form").at(error.path().to_string())
        }
        Category::Syntax => malformation("it is not JSON, or nested too deeply"),
        Category::Eof => malformation("it ends too early"),
        Category::Io => malformation("it cannot be read"),
    }
}
