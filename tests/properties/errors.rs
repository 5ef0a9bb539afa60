//! What the services answer when they refuse, whatever they answer.

use super::{texts, trial};
use peer_wizard::http::{ApiError, Service, hints};
use proptest::{
    option,
    prelude::any,
    prop_assert, prop_assert_eq,
    sample::select,
    strategy::{Just, Strategy, Union},
};
use serde_json::{Map, Value};

const SERVICES: &[Service] = &[
    Service::Entra,
    Service::Graph,
    Service::Arm,
    peer_wizard::providers::aiven::SERVICE,
    peer_wizard::providers::kong::SERVICE,
];

/// Every field that is read.
const KEYS: &[&str] = &[
    "error",
    "error_codes",
    "error_description",
    "errors",
    "error_code",
    "message",
    "title",
    "detail",
    "instance",
    "invalid_parameters",
    "field",
    "reason",
    "rule",
    "code",
    "details",
    "innerError",
    "innererror",
    "request-id",
];

/// The fields of one shape, each there with what it should hold, with anything, or missing.
fn shape(fields: &'static [&'static str]) -> impl Strategy<Value = Value> + Clone {
    let field = |name: &'static str| {
        let value = Union::new(vec![
            sentence().prop_map(Value::from).boxed(),
            texts::json(KEYS).boxed(),
            texts::json(KEYS)
                .prop_map(|it| Value::Array(vec![it]))
                .boxed(),
        ]);
        (Just(name), option::weighted(0.8, value))
    };
    let fields: Vec<_> = fields.iter().map(|name| field(name)).collect();
    fields.prop_map(|fields| {
        let there = fields
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Value::Object(there.collect::<Map<_, _>>())
    })
}

/// What a service might say.
fn sentence() -> impl Strategy<Value = String> + Clone {
    texts::text_of(&[
        "AADSTS7000215",
        "Request_BadRequest",
        "AuthorizationFailed",
        " ",
        "\r\n",
        "Trace ID: t",
        "To troubleshoot",
        "try again in ",
        "28",
        "99999999999999999999",
        "s",
        "İ",
        "🦀",
        "\u{1b}[31m",
        "\u{0}",
        "\u{9b}2J",
        "\u{2028}",
    ])
}

/// The four shapes that the services use.
fn known() -> impl Strategy<Value = Value> {
    let entra = shape(&["error", "error_description", "error_codes"]);
    let problem = shape(&["status", "title", "detail", "instance"]);
    let problem =
        (problem, shape(&["field", "reason", "rule"])).prop_map(|(mut problem, field)| {
            problem["invalid_parameters"] = vec![field].into();
            problem
        });
    let aiven = (
        shape(&["message"]),
        shape(&["message", "error_code", "status"]),
    )
        .prop_map(|(mut body, error)| {
            body["errors"] = vec![error].into();
            body
        });
    let object = shape(&["code", "message", "details", "innerError"]);
    let wrapped = object
        .clone()
        .prop_map(|error| serde_json::json!({ "error": error }));
    Union::new(vec![
        entra.boxed(),
        problem.boxed(),
        shape(&["title", "invalid_parameters", "errors"]).boxed(),
        aiven.boxed(),
        object.boxed(),
        wrapped.boxed(),
    ])
}

/// Reads the answer and looks at all that a person is shown of it.
fn is_one_line(service: Service, status: u16, body: &[u8]) -> trial::Verdict {
    let error = ApiError::read(service, "GET /x".into(), status, body);
    prop_assert_eq!(error.status, Some(status));
    let shown = error.to_string();
    for text in [&error.message, &shown] {
        prop_assert!(!text.contains(char::is_control), "{text:?}");
        prop_assert!(
            text.lines().count() <= 1 && !text.contains(['\u{2028}', '\u{2029}']),
            "{text:?}"
        );
    }
    prop_assert_eq!(error.message.trim(), &error.message);
    // What is made of it does not panic either.
    let _ = hints::of(&error);
    let _ = (
        error.is_missing(),
        error.is_sign_in(),
        error.is(&error.message),
    );
    Ok(())
}

fn answer() -> (impl Strategy<Value = Service>, impl Strategy<Value = u16>) {
    let status = select(&[400, 401, 403, 404, 409, 429, 500, 502][..]);
    (
        select(SERVICES),
        Union::new(vec![status.boxed(), any::<u16>().boxed()]),
    )
}

#[test]
fn an_error_of_any_bytes_is_one_line_without_control_characters() {
    let body = Union::new(vec![
        texts::bytes().prop_map(|it| it.0).boxed(),
        texts::text().prop_map(String::into_bytes).boxed(),
        sentence().prop_map(String::into_bytes).boxed(),
    ]);
    trial::holds(
        "answers of any bytes",
        3000,
        &(answer(), body),
        |((service, status), body)| is_one_line(service, status, &body),
    );
}

#[test]
fn an_error_of_any_json_is_one_line_without_control_characters() {
    trial::holds(
        "answers of any JSON",
        1000,
        &(answer(), texts::json(KEYS)),
        |((service, status), body)| is_one_line(service, status, body.to_string().as_bytes()),
    );
}

#[test]
fn an_error_of_a_known_shape_with_odd_contents_is_one_line_without_control_characters() {
    trial::holds(
        "answers of the known shapes",
        2000,
        &(answer(), known()),
        |((service, status), body)| is_one_line(service, status, body.to_string().as_bytes()),
    );
}
