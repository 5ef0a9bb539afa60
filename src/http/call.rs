//! A request as plain data, so that the modules that know the APIs are lists of pure functions.

use super::vendor::Vendor;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde_json::Value;
use std::{fmt, marker::PhantomData};

/// Who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Microsoft Entra ID: sign-in.
    Entra,
    /// Microsoft Graph: applications and principals.
    Graph,
    /// Azure Resource Manager: networks, roles, peerings.
    Arm,
    /// A provider.
    Of(&'static Vendor),
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Entra => "Entra",
            Self::Graph => "Microsoft Graph",
            Self::Arm => "Azure",
            Self::Of(vendor) => vendor.name,
        })
    }
}

/// A request whose answer reads as `T`.
#[derive(Clone, Debug)]
pub struct Call<T> {
    /// Who is asked.
    pub service: Service,
    /// The HTTP method.
    pub method: Method,
    /// The path below the service's base, already encoded, beginning with `/`.
    pub path: String,
    /// The query, not encoded.
    pub query: Vec<(&'static str, String)>,
    /// Extra headers.
    pub headers: Vec<(&'static str, &'static str)>,
    /// The JSON body.
    pub body: Option<Value>,
    reply: PhantomData<fn() -> T>,
}

impl<T> Call<T> {
    /// A request.
    #[must_use]
    pub fn new(service: Service, method: Method, path: impl Into<String>) -> Self {
        Self {
            service,
            method,
            path: path.into(),
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            reply: PhantomData,
        }
    }

    /// A GET.
    #[must_use]
    pub fn get(service: Service, path: impl Into<String>) -> Self {
        Self::new(service, Method::GET, path)
    }

    /// A POST.
    #[must_use]
    pub fn post(service: Service, path: impl Into<String>, body: Value) -> Self {
        Self::new(service, Method::POST, path).json(body)
    }

    /// A PUT.
    #[must_use]
    pub fn put(service: Service, path: impl Into<String>, body: Value) -> Self {
        Self::new(service, Method::PUT, path).json(body)
    }

    /// A DELETE.
    #[must_use]
    pub fn delete(service: Service, path: impl Into<String>) -> Self {
        Self::new(service, Method::DELETE, path)
    }

    /// Adds the body.
    #[must_use]
    pub fn json(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// Adds to the query.
    #[must_use]
    pub fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Whether it is to change something.
    #[must_use]
    pub fn changes(&self) -> bool {
        self.method != Method::GET
    }

    /// Method and path, for people and logs. It holds no secret: none ever goes into a path.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// One path segment, percent-encoded; what RFC 3986 lets stand in a segment is left alone.
#[must_use]
pub fn segment(text: &str) -> String {
    const SET: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');
    utf8_percent_encode(text, SET).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_cannot_leave_its_place() {
        assert_eq!(segment("a/b?c#d e"), "a%2Fb%3Fc%23d%20e");
        assert_eq!(segment("rg_(x).y-é"), "rg_%28x%29.y-%C3%A9");
    }

    #[test]
    fn all_but_a_get_changes_something() {
        assert!(!Call::<()>::get(Service::Arm, "/x").changes());
        assert!(Call::<()>::post(Service::Arm, "/x", Value::Null).changes());
        assert!(Call::<()>::delete(Service::Arm, "/x").changes());
    }
}
