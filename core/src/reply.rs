//! A decoded answer.

use std::fmt;
use std::ops::Deref;

use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::client::Response;
use crate::error::Error;

/// The value of a verified answer, with the answer beside it. Reads like the value itself.
#[derive(Clone)]
pub struct Reply<T> {
    value: T,
    response: Response,
}

impl<T> Reply<T> {
    /// The value alone.
    pub fn into_value(self) -> T {
        self.value
    }

    /// A value in the place of an error answer that means as much, such as an empty list for "not found".
    /// [`raw`](Self::raw) is then the error's body.
    pub fn instead_of(error: &Error, value: T) -> Option<Self> {
        Some(Self { value, response: Response::of_error(error)? })
    }

    /// The same answer with its value turned into another.
    pub fn map<U>(self, map: impl FnOnce(T) -> U) -> Reply<U> {
        Reply { value: map(self.value), response: self.response }
    }

    /// The body as received, with fields this version does not know.
    pub fn raw(&self) -> &Bytes {
        &self.response.body
    }

    /// The platform's id of the call. Log it.
    pub fn request_id(&self) -> Option<&str> {
        self.response.request_id.as_deref()
    }

    /// The whole answer.
    pub fn response(&self) -> &Response {
        &self.response
    }
}

impl<T: DeserializeOwned> Reply<T> {
    pub(crate) fn decode(response: Response) -> Result<Self, Error> {
        let request_id = response.request_id.clone();
        if response.body.trim_ascii().is_empty() {
            let error = Error::answer_without_meaning("the answer has no body where one is needed");
            return Err(error.with_answer(response.body, request_id));
        }
        let mut json = serde_json::Deserializer::from_slice(&response.body);
        let value = serde_path_to_error::deserialize(&mut json)
            .map_err(|error| Error::decode(&error.path().to_string(), error.into_inner()))
            .and_then(|value| json.end().map(|()| value).map_err(|error| Error::decode("its end", error)));
        match value {
            Ok(value) => Ok(Self { value, response }),
            Err(error) => Err(error.with_answer(response.body, request_id)),
        }
    }
}

impl<T> Deref for Reply<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Reply<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("value", &self.value).field("response", &self.response).finish()
    }
}
