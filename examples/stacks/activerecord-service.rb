require "active_record"
require "webrick"

ActiveRecord::Base.establish_connection(ENV.fetch("DATABASE_URL"))

class Counter < ActiveRecord::Base
  self.table_name = "counter"
end

server = WEBrick::HTTPServer.new(BindAddress: "127.0.0.1", Port: ENV.fetch("PORT"), AccessLog: [])
server.mount_proc("/increment") do
  counter = Counter.find(1)
  counter.update!(value: counter.value + 1)
ensure
  # The next request gets a connection of its own, as in another process.
  ActiveRecord::Base.connection.tap { |used| ActiveRecord::Base.connection_pool.remove(used) }.disconnect!
end
server.start
