export * as admin from "./admin";
export * as call from "./call";
export * as checks from "./checks";
export * as console from "./console";
export * as desk from "./desk";
export * as numbers from "./numbers";
export * as page from "./page";
export * as people from "./people";
