//! The bash functions that the commands of a script use; they need `curl` and awk, and no reader of JSON.

use super::super::curl::{Client, JSON_LINES};
use crate::{
    azure::keys::{USER_RESOURCE_GROUP, USER_SUBSCRIPTION_ID, USER_TENANT_ID, USER_VNET_NAME},
    azure::steps::{CHECK_NETWORKS, CHECK_NETWORKS_APART},
    shell::{
        Helper,
        helpers::{FAIL, LOWER, SAY, WAIT_FOR},
    },
};

/// Sends a request. The token goes through a pipe, so that no list of processes shows it.
pub static KONNECT: Helper = Helper::new(
    "konnect",
    r#"# konnect METHOD PATH [JSON]: one request to Konnect; prints the answer, or the error on stderr
konnect() {
  local server=${KONNECT_SERVER_URL:-https://global.api.konghq.com} token=${KONNECT_TOKEN:-${KONNECT_SPAT:-}} answer
  if [ -z "$token" ]; then
    printf '%s\n' 'set KONNECT_TOKEN: tokens are made at https://cloud.konghq.com/global/account/tokens' >&2
    return 1
  fi
  # curl takes dots out of a path, and an empty id asks for the list
  case "${2%%\?*}/" in
    *//* | */./* | */../* | *'#'* | *\\* | *%2[eEfF]*)
      say "an id in the path $2 is none"
      return 1
      ;;
  esac
  case $2 in
    *'?page%5Bsize%5D=100' | *'?page%5Bsize%5D=100&page%5Bnumber%5D='*) ;;
    *'?'*)
      say "an id in the path $2 is none"
      return 1
      ;;
  esac
  server=${server%/}
  set -- "$1" "${server%/v2}$2" "${@:3}"
  if [ $# -gt 2 ]; then
    set -- --request "$1" --url "$2" --header 'Content-Type: application/json' --data-binary "$3"
  elif [ "$1" = GET ]; then
    set -- --url "$2" --retry 4
  else
    set -- --request "$1" --url "$2"
  fi
  if ! answer=$(curl --fail-with-body --silent --show-error --globoff --max-time 60 "$@" \
    --config <(printf 'header = "Authorization: Bearer %s"\n' "$token")); then
    say "$answer"
    return 1
  fi
  [ -z "$answer" ] || printf '%s\n' "$answer"
}"#,
)
.needing(&[&SAY]);

/// Reads one field of an answer.
pub static KONNECT_FIELD: Helper = Helper::new(
    "konnect_field",
    r#"# konnect_field FIELD COMMAND...: a field of the JSON object that the command prints
konnect_field() {
  local field=$1 answer
  shift
  answer=$("$@") || return
  printf '%s\n' "$answer" | json_lines | awk -F '\t' -v path=".$field" '$1 == path { print $2 }'
}"#,
)
.needing(&[&JSON_LINES]);

/// Konnect, as a script asks it.
pub static CLIENT: Client = Client {
    request: &KONNECT,
    field: &KONNECT_FIELD,
};

/// Reads all pages of a list.
pub static KONNECT_LIST: Helper = Helper::new(
    "konnect_list",
    r#"# konnect_list PATH: all entries of a list, one line PAGE.NUMBER.FIELD<TAB>VALUE for each value
konnect_list() {
  local path=$1 page=1 seen=0 lines on_page total
  while :; do
    lines=$(konnect GET "$path&page%5Bnumber%5D=$page") || return
    lines=$(printf '%s\n' "$lines" | json_lines)
    printf '%s\n' "$lines" | awk -v page="$page" 'sub(/^\.data\./, page ".")'
    on_page=$(printf '%s\n' "$lines" | awk -F '\t' '$1 ~ /^\.data\.[0-9]+\.id$/ { count++ } END { print count + 0 }')
    total=$(printf '%s\n' "$lines" | awk -F '\t' '$1 == ".meta.page.total" { print int($2) }')
    seen=$((seen + on_page))
    if [ "$on_page" -eq 0 ] || [ "$seen" -ge "${total:-0}" ]; then
      return 0
    fi
    page=$((page + 1))
    if [ "$page" -gt 200 ]; then
      printf '%s\n' 'the list has no end' >&2
      return 1
    fi
  done
}"#,
)
.needing(&[&KONNECT, &JSON_LINES]);

/// Prints the state of a gateway and what Kong says about it.
pub static GATEWAY_SAYS: Helper = Helper::new(
    "gateway_says",
    r#"# gateway_says COMMAND...: the state of the gateway that the command prints, and on the next line the reason
gateway_says() {
  local answer
  answer=$("$@") || return
  printf '%s\n' "$answer" | json_lines | awk -F '\t' '
    $1 == ".state" { state = $2 }
    $1 == ".state_metadata.reason" { reason = $2 }
    END { print state; print reason }'
}"#,
)
.needing(&[&JSON_LINES]);

const READY: Helper = Helper::new(
    "network_ready",
    r#"# network_ready COMMAND...: the network that the command prints has to be ready, and to share no address with yours
network_ready() {
  local answer state range
  answer=$("$@") || fail 'cannot look at the network; nothing was made'
  answer=$(printf '%s\n' "$answer" | json_lines)
  state=$(printf '%s\n' "$answer" | awk -F '\t' '$1 == ".state" { print $2 }')
  range=$(printf '%s\n' "$answer" | awk -F '\t' '$1 == ".cidr_block" { print $2 }')
  check_networks "$state" ready "$range"
}"#,
);

/// The network, before anything is made.
pub static NETWORK_READY: Helper = READY.needing(&[&JSON_LINES, &FAIL, &CHECK_NETWORKS]);
/// The same for somebody who does not see your VNet.
pub static NETWORK_READY_APART: Helper =
    READY.needing(&[&JSON_LINES, &FAIL, &CHECK_NETWORKS_APART]);

/// Finds the gateway as [`super::gateway::Attachment::best`] does; one with other mappings is not what is asked for.
pub static ATTACHED_GATEWAY: Helper = Helper::new(
    "attached_gateway",
    r#"# attached_gateway PATH MAPPINGS: the id of the gateway for this VNet with these DNS mappings; nothing when there is none
attached_gateway() {
  local lines found
  lines=$(konnect_list "$1") || return
  found=$(printf '%s\n' "$lines" | tenant=$(lower "$USER_TENANT_ID") subscription=$(lower "$USER_SUBSCRIPTION_ID") \
    group=$(lower "$USER_RESOURCE_GROUP") vnet=$(lower "$USER_VNET_NAME") dns=$(lower "$2") awk -F '\t' '
    # Each domain with each of its servers, however they are grouped and ordered.
    function mappings(entry, i, j, k, to, server, domain) {
      split("", has); pairs = 0
      for (i = 1; i <= 100; i++) for (j = 1; j <= 100; j++) {
        to = "dns_config." i "."
        domain = tolower(got[entry, to "domain_proxy_list." j])
        sub(/[.]$/, "", domain)
        if (domain == "") break
        for (k = 1; k <= 100; k++) {
          server = tolower(got[entry, to "remote_dns_server_ip_addresses." k])
          if (server == "") break
          if (!((domain, server) in has)) { has[domain, server] = 1; pairs++ }
        }
      }
    }
    function same(pair) {
      for (pair in has) if (!(pair in want)) return 0
      return pairs == wanted
    }
    BEGIN {
      count = split(ENVIRON["dns"], mapping, ";")
      for (i = 1; i <= count; i++) {
        split(mapping[i], side, "="); servers = split(side[1], server, ","); domains = split(side[2], domain, ",")
        for (j = 1; j <= servers; j++) for (k = 1; k <= domains; k++)
          if (!((domain[k], server[j]) in want)) { want[domain[k], server[j]] = 1; wanted++ }
      }
      count = 0
    }
    { match($1, /^[0-9]+\.[0-9]+/); entry = substr($1, 1, RLENGTH); got[entry, substr($1, RLENGTH + 2)] = $2 }
    entry != last { entries[++count] = last = entry }
    END {
      to = "transit_gateway_attachment_config."
      for (i = 1; i <= count; i++) {
        entry = entries[i]
        if (got[entry, to "kind"] == "azure-vnet-peering-attachment" && tolower(got[entry, to "tenant_id"]) == ENVIRON["tenant"] &&
            tolower(got[entry, to "subscription_id"]) == ENVIRON["subscription"] && got[entry, "state"] !~ /^terminat/ &&
            tolower(got[entry, to "resource_group_name"]) == ENVIRON["group"] && tolower(got[entry, to "vnet_name"]) == ENVIRON["vnet"]) {
          mappings(entry)
          if (same()) { print got[entry, "id"]; exit }
          other = got[entry, "name"]
        }
      }
      if (other != "") print "other " other
    }') || return
  case $found in
    "other "*) fail "the gateway ${found#other } for this VNet has another DNS mapping, and none can be changed; delete it in Konnect, or give the mapping that it has" ;;
  esac
  [ -z "$found" ] || printf '%s\n' "$found"
}"#,
)
.reading(&[USER_TENANT_ID.named(), USER_SUBSCRIPTION_ID.named(), USER_RESOURCE_GROUP.named(), USER_VNET_NAME.named()])
.needing(&[&KONNECT_LIST, &LOWER, &FAIL]);

/// Adds `dns_config` to a body as [`super::dns::config`] does.
pub static WITH_DNS: Helper = Helper::new(
    "with_dns",
    r#"# with_dns MAPPINGS JSON: the JSON object with the mappings (IP,IP=DOMAIN,DOMAIN;...) added, if there are any
with_dns() {
  local mapping config=
  local IFS=';'
  for mapping in $1; do
    config="$config${config:+,}{\"remote_dns_server_ip_addresses\":$(json_words "${mapping%%=*}"),\"domain_proxy_list\":$(json_words "${mapping#*=}")}"
  done
  if [ -n "$config" ]; then
    printf '%s\n' "${2%?},\"dns_config\":[$config]}"
  else
    printf '%s\n' "$2"
  fi
}
# json_words WORD,WORD: addresses or domains as a JSON list; they have nothing in them that JSON would escape
json_words() {
  printf '["%s"]' "$(printf '%s' "$1" | sed 's/,/","/g')"
}"#,
);

/// Deletes the gateway: not while it is being built, since Konnect refuses that.
pub static DELETE_GATEWAY: Helper = Helper::new(
    "delete_gateway",
    r#"# delete_gateway LIST PATH ID: deletes the gateway, if it is there, and waits until it is gone
delete_gateway() {
  local state
  gateway_state "$1" "$3" >/dev/null || return
  wait_for 5400 SETTLED '' gateway_settled "$1" "$3"
  state=$(gateway_state "$1" "$3") || return
  case $state in
    GONE) return 0 ;;
    terminating) ;;
    *) konnect DELETE "$2" || return ;;
  esac
  wait_for 1800 GONE '' gateway_state "$1" "$3"
}
# gateway_state LIST ID: its state, or GONE
gateway_state() {
  local lines state
  lines=$(konnect_list "$1") || return
  state=$(printf '%s\n' "$lines" | awk -F '\t' -v id="$2" '
    { match($1, /^[0-9]+\.[0-9]+\./); entry = substr($1, 1, RLENGTH); got[entry, substr($1, RLENGTH + 1)] = $2 }
    $1 == entry "id" && $2 == id { mine = entry }
    END { print got[mine, "state"] }')
  case $state in
    '' | terminated) printf 'GONE\n' ;;
    *) printf '%s\n' "$state" ;;
  esac
}
# gateway_settled LIST ID: SETTLED, or the state in which Konnect would refuse to delete it
gateway_settled() {
  local state
  state=$(gateway_state "$1" "$2") || return
  case $state in
    created | initializing) printf '%s\n' "$state" ;;
    *) printf 'SETTLED\n' ;;
  esac
}"#,
)
.needing(&[&KONNECT, &KONNECT_LIST, &WAIT_FOR])
.looking();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_in_no_argument() {
        assert!(KONNECT.bash.contains("--config <(printf"));
        assert_eq!(KONNECT.bash.matches("$token").count(), 2);
    }
}
