/** What `heddle verify` and the other commands take here when no service is named. */
export default { service: "models/booking/index.ts" };
