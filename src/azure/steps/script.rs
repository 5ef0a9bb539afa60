//! The functions of the script that more than one step calls.

use crate::{
    azure::keys::{
        APPLICATION_NAME, RUN, USER_SUBSCRIPTION_ID, USER_TENANT_ID, USER_VNET_ID, USER_VNET_RANGES,
    },
    shell::{Helper, helpers},
};

/// What this run's objects bear, as [`crate::azure::keys::guid`] derives it.
pub static OWN_GUID: Helper = Helper::new("own_guid", r#"# own_guid WHAT: the GUID that this run gives to an object, the same at every try (version 5 of RFC 9562)
own_guid() {
  local hash
  hash=$({
    printf '\x6f\x1d\x5c\x52\x2f\x0e\x5b\x8e\x9a\x41\x3b\x1f\x0c\x7d\x9e\x24'
    printf '%s|%s|%s' "$RUN" "$(lower "$USER_VNET_ID")" "$1"
  } | { sha1sum 2>/dev/null || shasum; }) || return
  printf '%s-%s-5%s-%x%s-%s\n' "${hash:0:8}" "${hash:8:4}" "${hash:13:3}" $((0x${hash:16:1} & 3 | 8)) "${hash:17:3}" "${hash:20:12}"
}"#)
    .reading(&[RUN.named(), USER_VNET_ID.named()])
    .needing(&[&helpers::LOWER]);

/// A name that people see tells nothing about who made an application; the tag does.
pub static FIND_APPLICATION: Helper = Helper::new("find_application", r#"# find_application FIELD: a field of the application that bears this run's tag, whatever it is called
find_application() {
  az ad app list --filter "tags/any(t:t eq 'peer-wizard:$(own_guid tag)')" --query "[0].$1" --output tsv
}"#)
    .needing(&[&OWN_GUID]);

/// An application has one unique name for ever, so that however often it is asked for there is one.
pub static CREATE_APPLICATION: Helper = Helper::new("create_application", r#"# create_application AUDIENCE: registers your application, unless this run has; prints its application id
create_application() {
  local graph unique body found
  graph=$(az cloud show --query endpoints.microsoftGraphResourceId --output tsv) || return
  unique="${graph%/}/v1.0/applications(uniqueName='peer-wizard-$(own_guid application)')"
  body="{\"displayName\": \"$(json_text "$APPLICATION_NAME")\", \"signInAudience\": \"$1\", \"tags\": [\"peer-wizard:$(own_guid tag)\"]}"
  found=$(az rest --method PATCH --url "$unique" --resource "$graph" --headers Content-Type=application/json Prefer=create-if-missing \
    --body "$body" --query appId --output tsv) || return
  # One that was there already is not told
  [ -n "$found" ] || found=$(az rest --method GET --url "$unique" --resource "$graph" --query appId --output tsv) || return
  printf '%s\n' "$found"
}"#)
    .reading(&[APPLICATION_NAME.named()])
    .needing(&[&OWN_GUID, &helpers::JSON_TEXT]);

/// What is deleted has to bear the run's tag.
pub static DELETE_APPLICATION: Helper = Helper::new(
    "delete_application",
    r#"# delete_application: deletes your application, if it bears this run's tag
delete_application() {
  local id
  id=$(find_application id) || fail 'cannot look for the application'
  if [ -z "$id" ]; then
    say "  no application bears this run's tag"
    return
  fi
  delete_if_there az ad app delete --id "$id" --output none
}"#,
)
.needing(&[
    &FIND_APPLICATION,
    &helpers::SAY,
    &helpers::FAIL,
    &helpers::DELETE_IF_THERE,
])
.looking();

/// Peered networks must not share addresses.
pub static SHARE_NO_ADDRESS: Helper = Helper::new("share_no_address", r#"# share_no_address OURS THEIRS: no range of IPv4 of the one list overlaps one of the other; nothing is made where they do
share_no_address() {
  local shared
  shared=$(ours=$1 theirs=$2 awk '
    function first(range, at, part) {
      split(range, at, "/"); split(at[1], part, ".")
      size = 2 ^ (32 - at[2])
      return int((((part[1] * 256 + part[2]) * 256 + part[3]) * 256 + part[4]) / size) * size
    }
    BEGIN {
      count = split(ENVIRON["ours"], mine, " "); others = split(ENVIRON["theirs"], other, " ")
      for (i = 1; i <= count; i++) for (j = 1; j <= others; j++) {
        if (mine[i] !~ /^[0-9.]+\/[0-9]+$/ || other[j] !~ /^[0-9.]+\/[0-9]+$/) continue
        from = first(mine[i]); length_ = size; start = first(other[j])
        if (from < start + size && start < from + length_) { print mine[i] " and " other[j]; exit }
      }
    }')
  [ -z "$shared" ] || fail "the networks share addresses: $shared; nothing was made"
}"#)
    .needing(&[&helpers::FAIL]);

/// The VNet, before anything is made.
pub static VNET_RANGES: Helper = Helper::new("vnet_ranges", r#"# vnet_ranges: the ranges of your VNet, which must not be going or failed, with commas between them
vnet_ranges() {
  local ours
  ours=$(az network vnet show --ids "$USER_VNET_ID" --query "join(' ', [[provisioningState], addressSpace.addressPrefixes][])" --output tsv) || fail 'cannot look at your VNet; nothing was made'
  case ${ours%% *} in
    Failed | Deleting) fail "your VNet is in state ${ours%% *}; nothing was made" ;;
  esac
  ours=${ours#* }
  printf '%s\n' "${ours// /,}"
}"#)
    .reading(&[USER_VNET_ID.named()])
    .needing(&[&helpers::FAIL]);

/// Both networks, before anything is made.
pub static CHECK_NETWORKS: Helper = Helper::new("check_networks", r#"# check_networks STATE WANTED RANGES: the provider's network is ready, yours is, and they share no address of IPv4
check_networks() {
  local ours
  [ "$1" = "$2" ] || fail "the provider's network is in state ${1:-none}, not $2; nothing was made"
  ours=$(vnet_ranges) || exit 1
  share_no_address "${ours//,/ }" "$3"
}"#)
    .needing(&[&helpers::FAIL, &VNET_RANGES, &SHARE_NO_ADDRESS]);

/// The same for somebody who does not see your VNet.
pub static CHECK_NETWORKS_APART: Helper = Helper::new("check_networks", r#"# check_networks STATE WANTED RANGES: the provider's network is ready, and shares no address of IPv4 with your VNet
check_networks() {
  [ "$1" = "$2" ] || fail "the provider's network is in state ${1:-none}, not $2; nothing was made"
  share_no_address "${USER_VNET_RANGES//,/ }" "$3"
}"#)
    .reading(&[USER_VNET_RANGES.named()])
    .needing(&[&helpers::FAIL, &SHARE_NO_ADDRESS]);

/// What a provider tells of its side is not believed; a network that it does not tell yet is nothing to look at.
pub static CHECK_REMOTE: Helper = Helper::new("check_remote", r#"# check_remote APPLICATION TENANT NETWORK: the tenant has to be the owner of the provider's application, and nothing yours;
# the tenant may be empty where the provider tells none
check_remote() {
  local owner tenant network subscriptions subscription
  tenant=$(lower "$2")
  network=$(lower "$3")
  if [ -n "$tenant" ]; then
    [ "$tenant" != "$(lower "$USER_TENANT_ID")" ] || fail "the provider tells $2 as the tenant of its network, and that is your own; nothing further was made: ask the provider"
    owner=$(az ad sp list --filter "appId eq '$(odata "$1")'" --query '[0].appOwnerOrganizationId' --output tsv) || fail "cannot look at the provider's application"
    case $owner in
      '' | None) say "  not checked: Entra does not tell which tenant the application $1 belongs to" ;;
      *) [ "$(lower "$owner")" = "$tenant" ] || fail "the provider tells $2 as the tenant of its network, and its application belongs to $owner; nothing further was made: ask the provider" ;;
    esac
  fi
  subscriptions=$(az account list --query "[?tenantId==$(jmes "$USER_TENANT_ID")].id" --output tsv) || fail 'cannot list the subscriptions'
  for subscription in "$USER_SUBSCRIPTION_ID" $subscriptions; do
    case $network in
      "/subscriptions/$(lower "$subscription")/"*) fail "the provider tells the network $3 as its own, and that is one of yours; nothing further was made: ask the provider" ;;
    esac
  done
}"#)
    .reading(&[USER_TENANT_ID.named(), USER_SUBSCRIPTION_ID.named()])
    .needing(&[&helpers::SAY, &helpers::FAIL, &helpers::LOWER, &helpers::ODATA, &helpers::JMES]);

/// Undo leaves what somebody else has come to need.
pub static DELETE_UNLESS_USED: Helper = Helper::new("delete_unless_used", r#"# delete_unless_used ROLE PRINCIPAL COMMAND...: leaves what another assignment has come to need; either may be empty
delete_unless_used() {
  local role=${1##*/} principal=$2 subscriptions subscription used
  shift 2
  subscriptions=$(az account list --query "[?tenantId==$(jmes "$USER_TENANT_ID")].id" --output tsv) || fail 'cannot list the subscriptions'
  for subscription in $subscriptions; do
    used=$(az role assignment list --all --subscription "$subscription" --fill-principal-name false --fill-role-definition-name false \
      --query "[?principalId==$(jmes "${principal:-none}") || ends_with(roleDefinitionId, $(jmes "/${role:-none}"))]|[0].id" --output tsv) || fail 'cannot list the role assignments'
    if [ -n "$used" ]; then
      say "  left: another assignment needs it ($used)"
      return
    fi
  done
  delete_if_there "$@"
}"#)
    .reading(&[USER_TENANT_ID.named()])
    .needing(&[&helpers::SAY, &helpers::FAIL, &helpers::DELETE_IF_THERE, &helpers::JMES])
    .looking();
