export { createDispatcher, type Dispatcher, type DispatcherOptions } from "./create-dispatcher";
