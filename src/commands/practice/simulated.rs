//! `--sandbox`: simulated clouds inside this process, reached by their addresses like the real ones.

use crate::{
    ask::Samples,
    cli,
    clouds::{AzureCloud, Endpoints, credential::SignIn},
    error::{Error, Kind},
    fact::Secret,
    provider::Provider,
    providers,
    sandbox::{Lag, Options, Sandbox},
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
            // Slow enough to be watched.
            lag: Lag::Timed(0.25),
            ..Options::default()
        });
        let sandbox = sandbox.map_err(|error| {
            Error::new(Kind::Failed, "cannot start the sandbox").from_source(error)
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
        let (ca, session) = (
            single(&ca.to_string_lossy()),
            single(&session.to_string_lossy()),
        );
        let origin = self.sandbox.origin();
        let sample = self.sandbox.sample();
        let (tenant, client_id, client_secret) =
            (sample.tenant, sample.client_id, sample.client_secret);
        let samples = self.samples();
        let tokens = providers::tokens();
        let token = |name: &str| samples.get(name).cloned().unwrap_or_default();
        let endpoints: Vec<String> = tokens
            .iter()
            .map(|kind| format!(" {}={origin}", kind.vendor.variable))
            .collect();
        let exports: Vec<String> = tokens
            .iter()
            .map(|kind| format!(" {}={}", kind.variables[0], token(kind.sample)))
            .collect();
        // Who has a token of his own in the same variable.
        let others: Vec<String> = providers::ALL
            .into_iter()
            .filter(|it| !tokens.iter().any(|kind| kind.sample == it.token.sample))
            .map(|it| {
                let variable = it.token.variables[0];
                format!(" (for {}: {variable}={})", it.name, token(it.token.sample))
            })
            .collect();
        let roots = tokens.iter().filter_map(|kind| kind.roots);
        let roots: Vec<String> = roots.map(|variable| format!(" {variable}={ca}")).collect();
        let roots = roots.concat();
        let (endpoints, exports, others) = (endpoints.concat(), exports.concat(), others.concat());
        format!(
            "# The services, and the root certificate that they show\n\
             export AZURE_AUTHORITY_HOST={origin} PEER_WIZARD_GRAPH_ENDPOINT={origin} PEER_WIZARD_ARM_ENDPOINT={origin}\n\
             export{endpoints}\n\
             export SSL_CERT_FILE={ca} REQUESTS_CA_BUNDLE={ca}{roots} CURL_CA_BUNDLE={ca}\n\
             \n\
             # peer-wizard: sign-ins that exist in the sandbox only{others}\n\
             export AZURE_CLIENT_ID={client_id} AZURE_TENANT_ID={tenant} AZURE_CLIENT_SECRET={client_secret}\n\
             export{exports}\n\
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
            Error::new(Kind::Failed, message).from_source(error)
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
        Endpoints::new(AzureCloud::Public, &providers::vendors(), &|_| {
            Some(origin.clone())
        })
        .map_err(|error| Error::bug("the sandbox has no address").from_source(error))
    }

    /// An administrator's sign-in.
    pub fn sign_in(&self) -> SignIn {
        let sample = self.sandbox.sample();
        SignIn::Environment {
            tenant: sample.tenant,
            client_id: sample.client_id,
            secret: sample.client_secret.into(),
        }
    }

    /// The token of this provider.
    pub fn token(&self, provider: &Provider) -> Secret {
        let token = self.samples().remove(provider.token.sample);
        token.unwrap_or_default().into()
    }

    /// Values that connect, by name: those of the sample world, and the provider to begin with.
    pub fn samples(&self) -> Samples {
        let world = serde_json::to_value(self.sandbox.sample());
        let mut samples: Samples = world.and_then(serde_json::from_value).unwrap_or_default();
        samples.insert("provider".into(), providers::ALL[0].id.into());
        samples
    }
}
