//! The functions that the scripts of all flows use. Each is printed only where something calls it.

use super::Helper;

/// Prose goes to stderr. What a service said may be in it, so what steers a terminal or turns text round is taken out: control
/// characters, those of C1, and the marks of direction, as they are in UTF-8.
pub static SAY: Helper = Helper::new(
    "say",
    r#"say() {
  printf '%s\n' "$*" | LC_ALL=C awk '{ gsub(/[\001-\010\013-\037\177]|\302[\200-\237]|\342\200[\216\217\252-\256]|\342\201[\246-\251]/, ""); print }' >&2
}"#,
);

/// The end of a script that cannot go on.
pub static FAIL: Helper =
    Helper::new("fail", "fail() { say \"error: $*\"; exit 1; }").needing(&[&SAY]);

/// What somebody else needs.
pub static TELL: Helper = Helper::new(
    "tell",
    "# tell NAME VALUE: prints what the scripts of other parts take from the environment, if there is a value\ntell() { [ -z \"$2\" ] || printf '%s=%s\\n' \"$1\" \"$2\"; }",
);

/// The end of a script where the next move is another's.
pub static NEEDS: Helper = Helper::new("needs", r#"# needs PART NAME VALUE...: ends with code 5 unless each has a value, which the script of that part prints
needs() {
  local missing=''
  while [ $# -gt 0 ]; do
    [ -n "$3" ] || missing="$missing $2 (part $1)"
    shift 3
  done
  [ -n "$missing" ] || return 0
  say "The next move is another's. Missing:$missing"
  say 'Put what the scripts of these parts print into the environment, as NAME=value, and run this again.'
  exit 5
}"#).needing(&[&SAY]);

/// A text in lower case.
pub static LOWER: Helper = Helper::new(
    "lower",
    "lower() { printf '%s' \"$1\" | tr '[:upper:]' '[:lower:]'; }",
);

/// A text between the quotes of JSON.
pub static JSON_TEXT: Helper = Helper::new(
    "json_text",
    "# json_text TEXT: the text as it stands between the quotes of JSON\njson_text() { printf '%s' \"$1\" | sed 's/\\\\/\\\\\\\\/g; s/\"/\\\\\"/g'; }",
);

/// A text between the quotes of a filter of Graph.
pub static ODATA: Helper = Helper::new(
    "odata",
    "# odata TEXT: the text as it stands between the quotes of a filter of Graph\nodata() { printf '%s' \"$1\" | sed \"s/'/''/g\"; }",
);

/// A text as a value in a `--query`.
pub static JMES: Helper = Helper::new(
    "jmes",
    r#"# jmes TEXT: the text as a value in a --query, quotes and all
jmes() { printf "\`\"%s\"\`" "$(json_text "$1" | sed "s/\`/\\\\\`/g")"; }"#,
)
.needing(&[&JSON_TEXT]);

/// A text as `avn` prints it in JSON.
pub static JSON_ASCII: Helper = Helper::new("json_ascii", r#"# json_ascii TEXT: the text as avn prints it between the quotes of JSON, where all but ASCII is escaped
json_ascii() {
  { json_text "$1" | iconv -f UTF-8 -t UTF-16BE | od -An -v -tx1 | tr -d ' \n'; echo; } | fold -w 4 | awk '
    { low = index("0123456789abcdef", substr($1, 3, 1)) * 16 + index("0123456789abcdef", substr($1, 4, 1)) - 17
      if (substr($1, 1, 2) == "00" && low < 128) printf "%c", low; else printf "\\u%s", $1 }'
}"#).needing(&[&JSON_TEXT]);

/// The time in two hours.
pub static IN_TWO_HOURS: Helper = Helper::new(
    "in_two_hours",
    "# in_two_hours: the time then, for the date of GNU and of BSD\nin_two_hours() {\n  date -u -d '+2 hours' '+%Y-%m-%dT%H:%M:%SZ' 2>/dev/null || date -u -v+2H '+%Y-%m-%dT%H:%M:%SZ'\n}",
);

/// Tries again while a command fails.
pub static RETRY: Helper = Helper::new("retry", r#"# retry SECONDS BECAUSE COMMAND...: tries again while it fails, prints what it printed when it did not
retry() {
  local limit=$1 because=$2 began=$SECONDS output
  shift 2
  until output=$("$@"); do
    [ $((SECONDS - began)) -lt "$limit" ] || fail "gave up after $limit s: $because"
    say "  not yet: $because; trying again"
    sleep "${PAUSE:-10}"
  done
  if [ -n "$output" ]; then
    printf '%s\n' "$output"
  fi
}"#).needing(&[&SAY, &FAIL]);

/// Waits for a state.
pub static WAIT_FOR: Helper = Helper::new("wait_for", r#"# wait_for SECONDS REACHED REFUSED COMMAND...: until the first line that the command prints is one of the words, each list
# joined by |; its other lines are the reason
wait_for() {
  local limit=$1 reached=$2 refused=$3 began=$SECONDS state='' reason last='' failures=0 refusal=''
  shift 3
  while :; do
    if ! state=$("$@"); then
      failures=$((failures + 1))
      [ "$failures" -lt 5 ] || fail 'cannot look at the state'
      sleep "${PAUSE:-5}"
      continue
    fi
    failures=0
    reason=$(printf '%s' "${state#"${state%%$'\n'*}"}" | LC_ALL=C tr -d '\000-\037\177')
    state=${state%%$'\n'*}
    case "|$reached|" in *"|${state:-none}|"*) return ;; esac
    case "|${again_on:-}|" in
      *"|${state:-none}|"*)
        refusal=${refusal:-$SECONDS}
        [ $((SECONDS - refusal)) -lt "${again_for:-0}" ] || fail "the state is still $state${reason:+: $reason}"
        say "  $state${reason:+: $reason}; asking again"
        sleep "${PAUSE:-20}"
        "${again:-false}" || fail 'cannot ask again'
        last=''
        continue
        ;;
    esac
    case "|$refused|" in *"|${state:-none}|"*) fail "the state is $state${reason:+: $reason}" ;; esac
    if [ "$state" != "$last" ]; then
      say "  ${state:-none}${reason:+: $reason}"
      last=$state
    fi
    [ $((SECONDS - began)) -lt "$limit" ] || fail "still ${state:-none} after $limit s; run this again to go on waiting"
    sleep "${PAUSE:-5}"
  done
}"#).needing(&[&SAY, &FAIL]);

/// Lets a wait make the request again that may have come too early.
pub static ASKING_AGAIN: Helper = Helper::new(
    "asking_again",
    r#"# asking_again SECONDS STATES ASK WAIT...: waits, and in one of the states, joined by |, calls ASK again: what it was refused
# for may have to spread; at most for so long
asking_again() {
  # shellcheck disable=SC2034 # wait_for reads them
  local again_for=$1 again_on=$2 again=$3
  shift 3
  "$@"
}"#,
);

/// What is not there counts as deleted.
pub static DELETE_IF_THERE: Helper = Helper::new("delete_if_there", r#"# delete_if_there COMMAND...: what is not there counts as deleted
delete_if_there() {
  local output
  if ! output=$("$@" 2>&1); then
    case $output in
      *NotFound* | *"does not exist"* | *"not found"* | *"could not be found"* | *"No matched"*) say '  was gone' ;;
      *) fail "$output" ;;
    esac
  fi
}"#).needing(&[&SAY, &FAIL]);

/// `avn` with the token that the script itself does not export.
pub static AVN: Helper = Helper::new(
    "avn",
    r#"# avn ARGUMENT...: the token is in the environment of this program and of no other; without one, avn has its own file
avn() {
  local token=${AIVEN_AUTH_TOKEN:-${AIVEN_TOKEN:-}}
  if [ -n "$token" ]; then
    AIVEN_AUTH_TOKEN=$token command avn "$@"
  else
    command avn "$@"
  fi
}"#,
);

/// The last part of an id; a program that every machine has.
pub static BASENAME: Helper = Helper::new("basename", "");
