//! `--sandbox`: simulated clouds inside this process, reached by their addresses like the real ones.

use crate::{
    ask::Samples,
    cli,
    clouds::{Endpoints, credential::SignIn},
    error::Error,
    fact::Secret,
    sandbox::{Lag, Options, Sample, Sandbox},
    shell::single,
};
use std::path::Path;

/// Running simulated clouds.
pub struct Practice {
    sandbox: Sandbox,
}

impl Practice {
    /// Boots them, with the world that an earlier practice run left at `state` if there is one.
    ///
    /// # Errors
    /// When no port is free, or the state is unreadable.
    pub fn boot(state: Option<&Path>) -> Result<Self, Error> {
        let sandbox = Sandbox::boot(Options {
            state: state.map(Into::into),
            lag: Lag::Timed(1.0),
            ..Options::default()
        });
        let sandbox = sandbox.map_err(|error| {
            Error::new(crate::error::Kind::Failed, "cannot start the sandbox").from_source(error)
        })?;
        Ok(Self { sandbox })
    }

    /// Boots them on a chosen port, with a chosen slowness.
    ///
    /// # Errors
    /// When the port is taken, the state is unreadable, or the slowness is none.
    pub fn serve(options: &cli::Serve) -> Result<Self, Error> {
        let lag = match options.delay {
            0.0 => Lag::None,
            delay if delay > 0.0 && delay.is_finite() => Lag::Timed(delay),
            delay => {
                return Err(Error::usage(format!("`--delay {delay}` is no factor"))
                    .hint("0 is at once, 1 is seconds, 10 is ten times as slow"));
            }
        };
        let sandbox = Sandbox::boot(Options {
            port: options.port,
            state: options.state.clone(),
            lag,
            ..Options::default()
        });
        let sandbox = sandbox.map_err(|error| {
            Error::usage(format!("cannot serve on port {}", options.port))
                .from_source(error)
                .hint("choose another `--port`, and check that `--state` names a sandbox's file")
        })?;
        Ok(Self { sandbox })
    }

    /// The lines that point `az`, `avn` and this tool at the sandbox whose root certificate is in `ca`, and whose `az`
    /// session is to be kept in `session`.
    pub fn lines(&self, ca: &Path, session: &Path) -> String {
        let origin = self.sandbox.origin();
        let Sample {
            tenant,
            client_id,
            client_secret,
            aiven_token,
            timescale_token,
            konnect_token,
            ..
        } = self.sandbox.sample();
        let (ca, session) = (
            single(&ca.to_string_lossy()),
            single(&session.to_string_lossy()),
        );
        format!(
            "# The services, and the root certificate that they show\n\
             export AZURE_AUTHORITY_HOST={origin} PEER_WIZARD_GRAPH_ENDPOINT={origin} PEER_WIZARD_ARM_ENDPOINT={origin}\n\
             export AIVEN_WEB_URL={origin} KONNECT_SERVER_URL={origin}\n\
             export SSL_CERT_FILE={ca} REQUESTS_CA_BUNDLE={ca} AIVEN_CA_CERT={ca} CURL_CA_BUNDLE={ca}\n\
             \n\
             # peer-wizard: sign-ins that exist in the sandbox only (for Timescale: AIVEN_AUTH_TOKEN={timescale_token})\n\
             export AZURE_CLIENT_ID={client_id} AZURE_TENANT_ID={tenant} AZURE_CLIENT_SECRET={client_secret}\n\
             export AIVEN_AUTH_TOKEN={aiven_token} KONNECT_TOKEN={konnect_token}\n\
             \n\
             # az: a session of its own, so that yours stays as it is\n\
             export AZURE_CONFIG_DIR={session} AZURE_CORE_INSTANCE_DISCOVERY=false\n\
             az cloud register --name peer-wizard-sandbox --endpoint-resource-manager {origin} --only-show-errors\n\
             az cloud set --name peer-wizard-sandbox --only-show-errors\n\
             az login --service-principal --username {client_id} --password {client_secret} --tenant {tenant} --output none\n"
        )
    }

    /// From now on, keeps the world at this path, so that the run can be resumed.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(&self, path: &Path) -> Result<(), Error> {
        self.sandbox.keep(path).map_err(|error| {
            let message = format!("cannot write `{}`", path.display());
            Error::new(crate::error::Kind::Failed, message).from_source(error)
        })
    }

    /// Its root certificate.
    pub fn root(&self) -> Vec<u8> {
        self.sandbox.ca_pem().into_bytes()
    }

    /// Where the services are.
    ///
    /// # Errors
    /// Never: the sandbox has good addresses.
    pub fn endpoints(&self) -> Result<Endpoints, Error> {
        let origin = self.sandbox.origin();
        Endpoints::new(crate::clouds::AzureCloud::Public, &|_| Some(origin.clone()))
            .map_err(|error| Error::bug("the sandbox has no address").from_source(error))
    }

    /// An administrator's sign-in.
    pub fn sign_in(&self) -> SignIn {
        let Sample {
            tenant,
            client_id,
            client_secret,
            ..
        } = self.sandbox.sample();
        SignIn::Environment {
            tenant,
            client_id,
            secret: client_secret.into(),
        }
    }

    /// The token of this provider.
    pub fn token(&self, provider: &str) -> Secret {
        let sample = self.sandbox.sample();
        match provider {
            "timescale" => sample.timescale_token,
            "kong" => sample.konnect_token,
            _ => sample.aiven_token,
        }
        .into()
    }

    /// Answers that connect, by name. The provider is one of them until it is known.
    pub fn samples(&self, provider: Option<&str>) -> Samples {
        let sample = self.sandbox.sample();
        let mut samples = Samples::from([("VNET_ID", sample.vnet_id)]);
        match provider {
            None => {
                samples.insert("PROVIDER", "aiven-project".into());
            }
            Some("timescale") => {
                samples.insert("PROJECT", sample.timescale_project);
                samples.insert("VPC_ID", sample.timescale_vpc);
            }
            Some("aiven-organization") => {
                samples.insert("ORGANIZATION", sample.organization);
                samples.insert("VPC_ID", sample.organization_vpc);
            }
            Some("kong") => {
                samples.insert("NETWORK", sample.konnect_network);
            }
            Some(_) => {
                samples.insert("PROJECT", sample.project);
                samples.insert("VPC_ID", sample.project_vpc);
            }
        }
        samples
    }
}
