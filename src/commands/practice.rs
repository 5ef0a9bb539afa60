//! `--sandbox`: simulated clouds inside this process, reached by their addresses like the real ones.

use crate::{
    ask::Samples,
    clouds::{Endpoints, credential::SignIn},
    error::Error,
    fact::Secret,
    sandbox::{Lag, Options, Sample, Sandbox},
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
