//! Where the script's application signs in.

use crate::{azure::keys::USER_APP_SECRET, shell::Helper};

/// The application's sign-ins live in a folder of their own, so that the person's `az` session stays as it is.
pub(super) static AS_APPLICATION: Helper = Helper::new("as_application", r#"# The application signs in to the same cloud as you, in a folder that goes with the script
# Its credential is for this script alone: what the environment exports, every program that is called would get
export -n USER_APP_SECRET
APPLICATION_SESSION=$(mktemp -d)
trap 'rm -rf "$APPLICATION_SESSION"' EXIT
for file in config clouds.config; do
  if [ -f "${AZURE_CONFIG_DIR:-$HOME/.azure}/$file" ]; then
    cp "${AZURE_CONFIG_DIR:-$HOME/.azure}/$file" "$APPLICATION_SESSION/"
  fi
done

# as_application COMMAND...: runs it signed in as your application, in a session of its own
as_application() {
  AZURE_CONFIG_DIR="$APPLICATION_SESSION" "$@"
}"#)
    .reading(&[USER_APP_SECRET.named()]);
