//! A request as the handlers read it and an answer as they write it, whatever carries them.

use serde_json::Value;

/// One request, decoded.
#[derive(Clone, Debug, Default)]
pub(super) struct Ask {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path as it came, still percent-encoded.
    pub path: String,
    /// The path's segments, decoded.
    pub segments: Vec<String>,
    /// The query, decoded.
    pub query: Vec<(String, String)>,
    /// Header names in lower case.
    pub headers: Vec<(String, String)>,
    /// A JSON body, or the fields of a form as an object.
    pub body: Value,
    /// Whether there was a body that is neither.
    pub garbled: bool,
    /// Scheme, host and port that the client used.
    pub origin: String,
}

impl Ask {
    /// Reads the parts of a request.
    pub fn read(method: &str, target: &str, headers: Vec<(String, String)>, body: &[u8]) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut ask = Self {
            method: method.to_owned(),
            path: path.to_owned(),
            segments: path
                .split('/')
                .filter(|part| !part.is_empty())
                .map(|part| unescape(part, false))
                .collect(),
            query: pairs(query),
            headers,
            ..Self::default()
        };
        ask.origin = format!("https://{}", ask.header("host").unwrap_or("localhost"));
        let form = ask
            .header("content-type")
            .is_some_and(|kind| kind.contains("x-www-form-urlencoded"));
        if form {
            let text = String::from_utf8_lossy(body);
            ask.body = pairs(&text)
                .into_iter()
                .map(|(key, value)| (key, Value::String(value)))
                .collect();
        } else if !body.is_empty() {
            match serde_json::from_slice(body) {
                Ok(value) => ask.body = value,
                Err(_) => ask.garbled = true,
            }
        }
        ask
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The value of a query parameter; names are compared as `OData` and ARM do, without case.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// A string at the top of the body.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.body[key].as_str()
    }

    /// The decoded segments, to match on.
    pub fn parts(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }

    /// Method and decoded segments, to match on.
    pub fn route(&self) -> (&str, Vec<&str>) {
        (&self.method, self.parts())
    }

    /// The token after a scheme word in the `authorization` header.
    pub fn bearer(&self, scheme: &str) -> Option<&str> {
        let (word, token) = self.header("authorization")?.split_once(' ')?;
        word.eq_ignore_ascii_case(scheme).then_some(token.trim())
    }

    /// Whether the request asks for a change.
    pub fn mutates(&self) -> bool {
        !matches!(self.method.as_str(), "GET" | "HEAD")
    }
}

/// One answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Headers besides the usual ones.
    pub headers: Vec<(&'static str, String)>,
    /// The JSON body, if any.
    pub body: Option<Value>,
}

/// What a handler gives back; a refusal is an answer too, so `?` ends a handler with it.
pub(super) type Reply = Result<Answer, Answer>;

impl Answer {
    /// An answer with a JSON body.
    pub fn json(status: u16, body: Value) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Some(body),
        }
    }

    /// An answer with nothing but a status.
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: None,
        }
    }

    /// The same answer with one more header.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// Splits a query or a form into its decoded pairs.
fn pairs(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (unescape(key, true), unescape(value, true))
        })
        .collect()
}

/// Decodes percent escapes, and `+` where forms use it for a space.
fn unescape(text: &str, plus: bool) -> String {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' if plus => out.push(b' '),
            b'%' => {
                let rest = bytes.clone();
                let digits: String = rest.take(2).map(char::from).collect();
                if let (2, Ok(value)) = (digits.len(), u8::from_str_radix(&digits, 16)) {
                    out.push(value);
                    bytes.nth(1);
                } else {
                    out.push(b'%');
                }
            }
            other => out.push(other),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Encodes one path segment or query value.
pub(super) fn escape(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_decoded_once() {
        let ask = Ask::read(
            "GET",
            "/v1.0/a(b='x%2Fy')/c?$filter=d%20eq+'e%2B'&top",
            vec![("host".into(), "localhost:1".into())],
            b"",
        );
        assert_eq!(ask.parts(), ["v1.0", "a(b='x/y')", "c"]);
        assert_eq!(ask.query("$Filter"), Some("d eq 'e+'"));
        assert_eq!(ask.query("top"), Some(""));
        assert_eq!(ask.origin, "https://localhost:1");
    }

    #[test]
    fn a_lone_percent_sign_survives() {
        assert_eq!(unescape("100%", false), "100%");
        assert_eq!(unescape("%zz+", false), "%zz+");
        assert_eq!(escape("a b/ü"), "a%20b%2F%C3%BC");
    }
}
