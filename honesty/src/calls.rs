//! What a call sends to PostgreSQL, with its parameters: heard on the wire, so that another
//! client can send the same, and nothing is copied by hand.

use std::sync::{Arc, Mutex, PoisonError};

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgArguments, PgTypeInfo};
use sqlx::{
    Arguments, AssertSqlSafe, Encode, PgConnection, Postgres, SqlSafeStr, SqlStr, Type,
    query_scalar,
};
use verdict_audit::{At, VariantName};
use verdict_engines::pgbench::Script;
use verdict_engines::{Call, Rewrite, with_values};
use verdict_scenarios::Result;
use verdict_scenarios::court::Court;
use verdict_scenarios::operation::AnyOperation;
use verdict_scenarios::session::Role;
use verdict_store::fault::Doing;
use verdict_store::{Error, Fault};

/// The statements of one call of a variant at a place, in their order; none where the variant
/// does not offer it, or the world has no such place, or it does not run.
///
/// # Errors
/// What the harness could not do.
pub fn heard(
    court: &Court<'_>,
    operation: &dyn AnyOperation,
    variant: &VariantName,
    at: At,
) -> Result<Vec<Call>> {
    let (session, role) = (court.session, Role::of(variant));
    let Some(probe) = operation.probe(session.oracle(), variant, at) else {
        return Ok(Vec::new());
    };
    let heard: Arc<Mutex<Vec<Call>>> = Arc::default();
    let hearing = Arc::clone(&heard);
    let calls = Rewrite::hearing(move |call| {
        let mut heard = hearing.lock().unwrap_or_else(PoisonError::into_inner);
        heard.push(call.clone());
    });
    let line = session.rewriting(role, calls)?;
    court.runtime.block_on(async {
        let store = session.connect(role, Some(&line), |today| today).await?;
        let mut heard_of_one = Vec::new();
        // The first call also asks for what the driver wants to know of types.
        for _ in 0..2 {
            heard.lock().unwrap_or_else(PoisonError::into_inner).clear();
            match probe.call(&store, false).await {
                Ok(_) => {}
                Err(Fault::Variant(_)) => return Ok(Vec::new()),
                Err(Fault::Harness(error)) => return Err(error.into()),
            }
            heard_of_one.clone_from(&heard.lock().unwrap_or_else(PoisonError::into_inner));
        }
        store.close().await;
        Ok(heard_of_one)
    })
}

/// A parameter as it was on the wire.
#[derive(Clone)]
pub(crate) struct Raw {
    pub type_number: u32,
    pub value: Option<Vec<u8>>,
}

impl Type<Postgres> for Raw {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("unknown")
    }
}

impl Encode<'_, Postgres> for Raw {
    fn encode_by_ref(
        &self,
        buffer: &mut PgArgumentBuffer,
    ) -> std::result::Result<IsNull, BoxDynError> {
        Ok(match &self.value {
            Some(value) => {
                buffer.extend_from_slice(value);
                IsNull::No
            }
            None => IsNull::Yes,
        })
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(PgTypeInfo::with_oid(Oid(self.type_number)))
    }
}

fn parameters(call: &Call) -> impl Iterator<Item = Raw> + '_ {
    let types = call.statement.parameter_types.iter().copied();
    let types = types.chain(std::iter::repeat(0));
    let parameters = call.parameters.iter().cloned().zip(types);
    parameters.map(|(value, type_number)| Raw { type_number, value })
}

/// The parameters of a call for our own driver.
pub(crate) fn arguments(call: &Call) -> std::result::Result<PgArguments, Error> {
    let mut arguments = PgArguments::default();
    for parameter in parameters(call) {
        arguments
            .add(parameter)
            .map_err(sqlx::Error::Encode)
            .doing("send the parameters of a call again")?;
    }
    Ok(arguments)
}

/// The same calls as a script of pgbench's, in which each parameter is a variable of its type.
pub(crate) async fn script(
    connection: &mut PgConnection,
    calls: &[Call],
) -> std::result::Result<Script, Error> {
    let mut script = Script::default();
    for (number, call) in calls.iter().enumerate() {
        let mut values = Vec::new();
        for (place, parameter) in parameters(call).enumerate() {
            let name = format!("p{number}_{}", place + 1);
            let type_name: String = query_scalar("SELECT FORMAT_TYPE($1, NULL)")
                .bind(Oid(parameter.type_number))
                .fetch_one(&mut *connection)
                .await
                .doing("name the type of a parameter")?;
            // The driver keeps statements by their texts, and this one is of another type each
            // time.
            let text: Option<String> = query_scalar("SELECT $1::text")
                .bind(parameter)
                .persistent(false)
                .fetch_one(&mut *connection)
                .await
                .doing("write a parameter as text")?;
            values.push(match &text {
                Some(_) => format!(":{name}::{type_name}"),
                None => format!("NULL::{type_name}"),
            });
            script.variables.extend(text.map(|text| (name, text)));
        }
        script
            .text
            .push_str(&with_values(&call.statement.text, &values));
        script.text.push_str(";\n");
    }
    Ok(script)
}

/// A statement that asks for nothing: all it costs is that it is sent and answered.
pub(crate) fn empty() -> Call {
    Call {
        statement: verdict_engines::Statement {
            text: "SELECT".to_owned(),
            parameter_types: Vec::new(),
        },
        parameters: Vec::new(),
    }
}

/// A statement of a call, which a variant itself has sent.
pub(crate) fn text(call: &Call) -> SqlStr {
    AssertSqlSafe(Arc::<str>::from(call.statement.text.as_str())).into_sql_str()
}
