"""A folder of test files that a script writes; its names need not be listed twice."""

def _generated_directory_impl(ctx):
    directory = ctx.actions.declare_directory(ctx.attr.name)
    ctx.actions.run(
        executable = "/usr/bin/python3",
        arguments = [ctx.file.script.path, directory.path],
        inputs = [ctx.file.script],
        outputs = [directory],
        mnemonic = "GenerateDirectory",
    )
    files = depset([directory])
    return [DefaultInfo(files = files, runfiles = ctx.runfiles(transitive_files = files))]

generated_directory = rule(
    implementation = _generated_directory_impl,
    attrs = {"script": attr.label(
        allow_single_file = [".py"],
        doc = "Python, standard library alone; called with the folder to fill.",
        mandatory = True,
    )},
)
