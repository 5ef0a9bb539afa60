//! Konnect has no command line client, so a script's commands are its requests: `curl` words derived from the same
//! [`Call`]s that the program sends.

use crate::{
    http::{Call, segment},
    shell::{Cmd, call},
};

/// The script's command for a request: it prints the answer's JSON.
#[must_use]
pub fn curl<T>(call: &Call<T>) -> Cmd {
    request(crate::shell::call("konnect"), call, &|body| body)
}

/// The same, printing only one field of the answer.
#[must_use]
pub fn field<T>(name: &str, request: &Call<T>) -> Cmd {
    field_through(name, request, |body| body)
}

/// The same with a body that passes through one of the script's functions: `through` is given the body as a word of
/// bash and gives another.
#[must_use]
pub fn field_through<T>(name: &str, of: &Call<T>, through: impl Fn(String) -> String) -> Cmd {
    request(
        call("konnect_field").flag(name).flag("konnect"),
        of,
        &through,
    )
}

fn request<T>(cmd: Cmd, call: &Call<T>, through: &dyn Fn(String) -> String) -> Cmd {
    let cmd = cmd.flag(call.method.as_str()).arg(path(call));
    match &call.body {
        Some(body) => cmd.bash(through(quoted(&body.to_string()))),
        None => cmd,
    }
}

/// A request's path and query, with the script's variables where their values stood.
#[must_use]
pub fn path<T>(call: &Call<T>) -> String {
    let query: Vec<String> = call
        .query
        .iter()
        .map(|(name, value)| format!("{}={}", segment(name), segment(value)))
        .collect();
    let whole = if query.is_empty() {
        call.path.clone()
    } else {
        format!("{}?{}", call.path, query.join("&"))
    };
    // What stands in paths are ids that need no encoding; only the variables' own signs were encoded.
    whole.replace("%24%7B", "${").replace("%7D", "}")
}

/// JSON as one word of bash, in which the variables are filled in as JSON text.
fn quoted(json: &str) -> String {
    let mut out = String::from("\"");
    let mut rest = json;
    while let Some(c) = rest.chars().next() {
        if let Some(name) = variable(rest) {
            out.push_str("$(json_text \"${");
            out.push_str(name);
            out.push_str("}\")");
            rest = &rest[name.len() + 3..];
            continue;
        }
        if matches!(c, '"' | '\\' | '`' | '$') {
            out.push('\\');
        }
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    out.push('"');
    out
}

/// The name of the variable that the text begins with: `${NAME}`.
fn variable(text: &str) -> Option<&str> {
    let (name, _) = text.strip_prefix("${")?.split_once('}')?;
    let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    (!name.is_empty() && name.chars().all(plain)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Service::Konnect;
    use serde_json::json;

    #[test]
    fn a_request_becomes_words_with_variables() {
        let path = format!("/v2/x/{}/y", segment("${KONG_NETWORK_ID}"));
        let get: Call<()> = Call::get(Konnect, path.as_str()).query("page[size]", "100");
        assert_eq!(
            curl(&get).statement(),
            r#"konnect GET "/v2/x/${KONG_NETWORK_ID}/y?page%5Bsize%5D=100""#
        );
        let post: Call<()> = Call::post(
            Konnect,
            path,
            json!({ "name": "${NAME}", "cost": "$5 \"`x`" }),
        );
        assert_eq!(
            field("id", &post).statement(),
            r#"konnect_field id konnect POST "/v2/x/${KONG_NETWORK_ID}/y" "{\"cost\":\"\$5 \\\"\`x\`\",\"name\":\"$(json_text "${NAME}")\"}""#
        );
    }

    #[test]
    fn only_a_variable_is_filled_in() {
        assert_eq!(quoted("${A_1}"), r#""$(json_text "${A_1}")""#);
        assert_eq!(quoted("${a}$(x)"), r#""\${a}\$(x)""#);
    }
}
