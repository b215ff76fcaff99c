require "active_record"
require "webrick"

ActiveRecord::Base.establish_connection(ENV.fetch("DATABASE_URL"))

class Counter < ActiveRecord::Base
  self.table_name = "counter"
end

server = WEBrick::HTTPServer.new(BindAddress: "127.0.0.1", Port: ENV.fetch("PORT"), AccessLog: [])
server.mount_proc("/increment") do
  ActiveRecord::Base.connection_pool.with_connection do
    counter = Counter.find(1)
    counter.update!(value: counter.value + 1)
  end
end
server.start
