/** Imported with `type: "file"`: the path where the file can be read, in a compiled binary as well. */
declare module "swagger-ui-dist/*" {
  const path: string;
  export default path;
}
