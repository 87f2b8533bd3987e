// Stands where the encoded WebAssembly would be: tests that load it read the file itself.

export default "";
