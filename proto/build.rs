//! Compiles the contract without a system `protoc`.

use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files = ["certificate", "enrolment", "work", "artifact", "log", "result", "operator"]
        .map(|service| format!("fedval/v1/{service}.proto"));
    println!("cargo:rerun-if-changed=fedval");
    println!("cargo:rerun-if-changed=inference");
    let descriptors = protox::compile(&files, ["."])?;
    let out = std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?;
    std::fs::write(
        Path::new(&out).join("fedval.binpb"),
        prost::Message::encode_to_vec(&descriptors),
    )?;
    // Pieces of models are many and large: they are not copied from buffer to buffer.
    tonic_prost_build::configure().bytes(".fedval.v1.ArtifactChunk").compile_fds(descriptors)?;
    // Another contract, with whatever serves models at a site: tensors are as large as images.
    let descriptors = protox::compile(["inference/open_inference.proto"], ["."])?;
    tonic_prost_build::configure().bytes(".inference").compile_fds(descriptors)?;
    Ok(())
}
