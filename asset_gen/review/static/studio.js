// The page of the live studio.
import { begin } from "./page.js";
import { Publish } from "./publish.js";
import { Server } from "./server.js";

const server = new Server();
void begin(Object.assign(server, { publish: new Publish(server) }));
