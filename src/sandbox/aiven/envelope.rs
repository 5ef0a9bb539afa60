//! How Aiven wraps refusals.

use serde_json::json;

use crate::sandbox::wire::Answer;

pub(super) fn unknown_path() -> Answer {
    error(404, "not_found", "Not Found")
}

pub(super) fn error(status: u16, code: &str, message: &str) -> Answer {
    Answer::json(
        status,
        json!({"errors": [{"error_code": code, "message": message, "status": status}], "message": message}),
    )
}
