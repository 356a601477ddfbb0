const ms = require("ms");

const name = "terms-1";

module.exports = () => `${name}: pay within ${ms(14 * 24 * 3600 * 1000, { long: true })}`;
