//! For services that have no command line client a script's commands are their requests: `curl` words derived from the
//! same [`Call`]s that the program sends. Where a value would stand, the call is given [`var`] instead.

use crate::{
    fact::Named,
    http::{Call, segment},
    shell::{Cmd, Helper, Text, call, helpers},
};

/// What stands in a request for the value of this key.
#[must_use]
pub fn var(key: impl Into<Named>) -> String {
    format!("${{{}}}", key.into().name)
}

/// The script's functions that send requests to one service.
pub struct Client {
    /// Sends one, told by its method, path and body, and prints the answer.
    pub request: &'static Helper,
    /// Prints one field of the JSON object that a command prints.
    pub field: &'static Helper,
}

impl Client {
    /// The script's command for a request that prints one field of the answer. `keys` are those that stand in the request.
    #[must_use]
    pub fn field<T>(&self, name: &str, of: &Call<T>, keys: &[Named]) -> Cmd {
        self.field_through(name, of, keys, |body| body)
    }

    /// The same with a body that passes through one of the script's functions.
    #[must_use]
    pub fn field_through<T>(
        &self,
        name: &str,
        of: &Call<T>,
        keys: &[Named],
        through: impl Fn(Text) -> Text,
    ) -> Cmd {
        let request = self.request(of, keys, through);
        call(self.field).flag(name).running(request)
    }

    /// One of the script's functions, given the command for a request.
    #[must_use]
    pub fn through<T>(&self, helper: &'static Helper, of: &Call<T>, keys: &[Named]) -> Cmd {
        call(helper).running(self.request(of, keys, |body| body))
    }

    /// The command that prints the whole answer.
    fn request<T>(&self, of: &Call<T>, keys: &[Named], through: impl Fn(Text) -> Text) -> Cmd {
        let path = path(of, keys);
        let cmd = call(self.request).flag(of.method.as_str()).arg(path);
        match &of.body {
            Some(body) => cmd.arg(through(json(&body.to_string(), keys))),
            None => cmd,
        }
    }
}

/// Reads JSON with nothing but awk: the script shall need no other program.
pub static JSON_LINES: Helper = Helper::new(
    "json_lines",
    r#"# json_lines: JSON from stdin, one line PATH<TAB>VALUE for each value, such as .data.1.id<TAB>x
json_lines() {
  LC_ALL=C awk '
    function space() { match(text, /^[ \t\r\n]*/); text = substr(text, RLENGTH + 1) }
    function take(length_, taken) { taken = substr(text, 1, length_); text = substr(text, length_ + 1); return taken }
    function string(taken) {
      if (!match(text, /^"([^"\\]|\\.)*"/)) return ""
      taken = take(RLENGTH)
      gsub(/\\\//, "/", taken)
      return substr(taken, 2, length(taken) - 2)
    }
    function value(path, key, number) {
      space()
      if (text ~ /^[{]/) {
        do {
          take(1); space()
          if (text ~ /^[}]/) break
          key = string(); space(); take(1); value(path "." key); space()
        } while (text ~ /^,/)
        take(1)
      } else if (text ~ /^\[/) {
        do {
          take(1); space()
          if (text ~ /^\]/) break
          value(path "." ++number); space()
        } while (text ~ /^,/)
        take(1)
      } else if (text ~ /^"/) {
        print path "\t" string()
      } else if (match(text, /^[^],}[ \t\r\n]+/)) {
        print path "\t" take(RLENGTH)
      }
    }
    { text = text $0 "\n" }
    END { value("") }'
}"#,
);

/// A request's path and query.
#[must_use]
pub fn path<T>(call: &Call<T>, keys: &[Named]) -> Text {
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
    // What stands in paths are ids that need no encoding; only the keys' own signs were encoded.
    filled(&whole, keys, |key| segment(&var(key)), Text::from)
}

/// JSON in which the keys are filled in as JSON text.
fn json(json: &str, keys: &[Named]) -> Text {
    let escaped = |key: Named| Text::call(&helpers::JSON_TEXT, [key.into()]);
    filled(json, keys, var, escaped)
}

/// The text with `part` of a key wherever the key's `mark` stands.
fn filled(
    text: &str,
    keys: &[Named],
    mark: impl Fn(Named) -> String,
    part: impl Fn(Named) -> Text,
) -> Text {
    let mut out = Text::default();
    let mut rest = text;
    let next = |rest: &str| {
        let places = keys.iter().filter_map(|key| {
            let mark = mark(*key);
            Some((rest.find(&mark)?, mark.len(), *key))
        });
        places.min_by_key(|(at, ..)| *at)
    };
    while let Some((at, length, key)) = next(rest) {
        if at > 0 {
            out = out.then(&rest[..at]);
        }
        out = out.then(part(key));
        rest = &rest[at + length..];
    }
    if rest.is_empty() { out } else { out.then(rest) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fact::Key, http::Service};
    use serde_json::json;

    const SERVICE: Service = Service::Arm;
    static KONNECT: Helper = Helper::new("konnect", "");
    static KONNECT_FIELD: Helper = Helper::new("konnect_field", "");
    static CLIENT: Client = Client {
        request: &KONNECT,
        field: &KONNECT_FIELD,
    };
    const NETWORK: Key<String> = Key::new("KONG_NETWORK_ID");
    const NAME: Key<String> = Key::new("NAME");

    #[test]
    fn a_request_becomes_words_with_variables() {
        let path = format!("/v2/x/{}/y", segment(&var(NETWORK)));
        let get: Call<()> = Call::get(SERVICE, path.as_str()).query("page[size]", "100");
        assert_eq!(
            CLIENT
                .request(&get, &[NETWORK.named()], |body| body)
                .statement(),
            r#"konnect GET "/v2/x/${KONG_NETWORK_ID}/y?page%5Bsize%5D=100""#
        );
        let post: Call<()> = Call::post(
            SERVICE,
            path,
            json!({ "name": var(NAME), "cost": "$5 \"`x`" }),
        );
        assert_eq!(
            CLIENT
                .field("id", &post, &[NETWORK.named(), NAME.named()])
                .statement(),
            r#"konnect_field id konnect POST "/v2/x/${KONG_NETWORK_ID}/y" "{\"cost\":\"\$5 \\\"\`x\`\",\"name\":\"$(json_text "${NAME}")\"}""#
        );
    }

    #[test]
    fn only_a_named_key_is_filled_in() {
        assert_eq!(
            json("${NAME}", &[NAME.named()]).bash(),
            r#""$(json_text "${NAME}")""#
        );
        assert_eq!(
            json("${NAME}${a}$(x)${OTHER}", &[NAME.named()]).bash(),
            r#""$(json_text "${NAME}")\${a}\$(x)\${OTHER}""#
        );
    }
}
