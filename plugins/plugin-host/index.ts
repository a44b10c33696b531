export {
  createMatcher,
  createStorage,
  PluginStartError,
  type CreatedMatcher,
  type CreatedPlugin,
  type CreatedStorage,
  type LoadedPlugin,
} from "./create-plugins";
export { pluginRoutes } from "./plugin-routes";
