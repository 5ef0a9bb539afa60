//! The functions of the script that more than one step calls.

use crate::{
    azure::keys::USER_TENANT_ID,
    shell::{Helper, helpers},
};

/// Undo leaves what somebody else has come to need.
pub static DELETE_UNLESS_USED: Helper = Helper::new("delete_unless_used", r#"# delete_unless_used ROLE PRINCIPAL COMMAND...: leaves what another assignment has come to need; either may be empty
delete_unless_used() {
  local role=${1##*/} principal=$2 subscriptions subscription used
  shift 2
  subscriptions=$(az account list --query "[?tenantId=='$USER_TENANT_ID'].id" --output tsv) || fail 'cannot list the subscriptions'
  for subscription in $subscriptions; do
    used=$(az role assignment list --all --subscription "$subscription" --fill-principal-name false --fill-role-definition-name false \
      --query "[?principalId=='${principal:-none}' || ends_with(roleDefinitionId, '/${role:-none}')]|[0].id" --output tsv) || fail 'cannot list the role assignments'
    if [ -n "$used" ]; then
      say "  left: another assignment needs it ($used)"
      return
    fi
  done
  delete_if_there "$@"
}"#)
    .reading(&[USER_TENANT_ID.named()])
    .needing(&[&helpers::SAY, &helpers::FAIL, &helpers::DELETE_IF_THERE])
    .looking();
